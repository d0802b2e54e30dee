package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/doctor"
	"servicehost/spec"
)

// diagnosis is what `host doctor -o json` says.
type diagnosis struct {
	Files    []string         `json:"files"`
	Host     string           `json:"host,omitempty"` // the running one
	Findings []doctor.Finding `json:"findings"`
}

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look the spec and this machine over",
		Long: `Looks for what would keep services from being started, and for what others could change or read:
the spec, its files and folders, programs, accounts, ports, what services require, the space for logs, and
the running host. It changes nothing, and says for each finding what to do. Commands of requires are run
for their version, as this user.

Run it as the user that the host runs as, to see what the host sees.` + exits(
			"0  nothing found",
			"1  there are findings"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	status, none, trouble := a.doctorStatus(ctx)
	files, err := a.chosenFiles()
	switch {
	case err != nil:
		return err
	case len(files) == 0 && status != nil && status.Host.Spec.Path != "":
		files = []string{status.Host.Spec.Path} // of the host that is looked over
	case len(files) == 0:
		if files, err = a.specFiles(); err != nil {
			return err
		}
	}
	if a.name != "" && none != nil {
		return none
	}
	exe, _ := os.Executable()
	d := diagnosis{Files: files, Findings: doctor.Examine(ctx, doctor.Input{Loaded: a.loadPlaced(files), Status: status, Version: a.build().Version, Env: os.Environ(), Exe: exe})}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if trouble != nil {
		message, _, hint := explain(trouble)
		d.Findings = append(d.Findings, doctor.Finding{Severity: doctor.Warning, Subject: "host", Message: "the running host can't be asked: " + message, Hint: hint})
	}
	if status != nil {
		d.Host = status.Host.Name
	}
	if d.Findings == nil {
		d.Findings = []doctor.Finding{}
	}
	err = a.show(d, func() { a.doctorText(d) })
	if err == nil && len(d.Findings) > 0 {
		err = &exit{exitFailed}
	}
	return err
}

// doctorStatus asks the running host, if there is one. That none runs is no trouble.
func (a *app) doctorStatus(ctx context.Context) (status *control.Status, none, trouble error) {
	s, err := a.statusOf(ctx, nil)
	var no *control.NoHostError
	var many *control.AmbiguousError
	switch {
	case err == nil:
		return &s, nil, nil
	case errors.As(err, &no), errors.As(err, &many):
		return nil, err, nil
	}
	return nil, nil, err
}

// loadPlaced loads files as the host does that has run with them: one under a service manager keeps its state
// and logs in the system's places.
func (a *app) loadPlaced(files []string) spec.Result {
	o := a.loadOptions(files, "")
	r := spec.Load(o)
	if r.Spec == nil || folder(r.Spec.Host.StateDir) {
		return r
	}
	o.Managed = true
	if m := spec.Load(o); m.Spec != nil && folder(m.Spec.Host.StateDir) {
		return m
	}
	return r
}

var inFile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.*?)((?::\d+){0,2})$`) })

// shownSubject names a file the way it was given, with the place in it.
func (a *app) shownSubject(s string) string {
	if m := inFile().FindStringSubmatch(s); m != nil && filepath.IsAbs(m[1]) {
		return a.shown(m[1]) + m[2]
	}
	return s
}

func (a *app) doctorText(d diagnosis) {
	p := a.colors()
	errs := 0
	for _, f := range d.Findings {
		word := p.yellow("warning")
		if f.Severity == doctor.Error {
			word = p.red("error")
			errs++
		}
		a.printf("%s %s %s\n", word, p.bold(clean(a.shownSubject(f.Subject))+":"), clean(f.Message))
		if f.Hint != "" {
			a.printf("  %s %s\n", p.bold("hint:"), clean(f.Hint))
		}
	}
	running := "no host runs with it"
	if d.Host != "" {
		running = "host " + clean(d.Host) + " runs"
	}
	if len(d.Findings) == 0 {
		a.printf("nothing found: %s, %s\n", a.validFiles(d.Files), running)
		return
	}
	a.printf("%s, %s: %s, %s\n", count(errs, "error", "errors"), count(len(d.Findings)-errs, "warning", "warnings"), a.validFiles(d.Files), running)
}
