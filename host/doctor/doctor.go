// Package doctor looks over a spec and the machine that it is for: what would keep services from being started,
// and what others than those who should could change or read. It changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"servicehost/host/control"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // something does not work, or is open to others
	Warning Severity = "warning" // somebody should look
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Severity Severity `json:"severity"`
	Subject  string   `json:"subject"` // a key of the spec, or a file
	Message  string   `json:"message"`
	Hint     string   `json:"hint"`
}

// Input is what is looked over.
type Input struct {
	Loaded spec.Result
	// Status is that of the running host; nil: none runs.
	Status *control.Status
	// Version is that of this program.
	Version string
	// Env is the environment of this process, NAME=value, and Exe its executable.
	Env []string
	Exe string
}

// examination gathers findings.
type examination struct {
	Input
	ctx      context.Context
	sp       *spec.Spec
	programs supervisor.Programs
	findings []Finding
	told     map[Finding]bool
	looked   map[string]bool // paths whose rights were looked at
}

func (e *examination) add(f Finding) {
	if !e.told[f] {
		e.told[f] = true
		e.findings = append(e.findings, f)
	}
}

func (e *examination) problem(subject, hint, format string, args ...any) {
	e.add(Finding{Error, subject, fmt.Sprintf(format, args...), hint})
}

func (e *examination) warn(subject, hint, format string, args ...any) {
	e.add(Finding{Warning, subject, fmt.Sprintf(format, args...), hint})
}

// Examine looks everything over. Where the spec is invalid, only that is told, and what can be known without it.
func Examine(ctx context.Context, in Input) []Finding {
	e := &examination{Input: in, ctx: ctx, sp: in.Loaded.Spec, told: map[Finding]bool{}, looked: map[string]bool{}}
	e.spec()
	e.host()
	for _, i := range in.Loaded.Inputs {
		e.rights(i.Path, "file of the spec", false)
	}
	if e.sp == nil {
		return e.findings
	}
	e.programs = supervisor.NewPrograms(e.sp, in.Env, in.Exe)
	e.folders()
	e.volume()
	e.secrets()
	e.http()
	e.services()
	return e.findings
}

func (e *examination) spec() {
	tell := func(s Severity, all spec.Problems) {
		for _, p := range all {
			subject := p.Path
			if p.File != "" {
				subject = strings.TrimSuffix((spec.Problem{File: p.File, Line: p.Line, Column: p.Column}).String(), ": ")
			}
			message := p.Message
			if p.Path != "" && p.File != "" {
				message = p.Path + ": " + message
			}
			e.add(Finding{s, subject, message, p.Hint})
		}
	}
	tell(Error, e.Loaded.Problems)
	tell(Warning, e.Loaded.Warnings)
}

// host looks at the running one.
func (e *examination) host() {
	s := e.Status
	if s == nil {
		return
	}
	subject := "host " + s.Host.Name
	if s.Host.Version != e.Version {
		e.warn(subject, "restart it with this program, or use the program that it runs", "the running host has version %s, this program %s", s.Host.Version, e.Version)
	}
	if s.Host.Spec.State == control.SpecLastGood {
		e.problem(subject, "host validate shows what is wrong", "it runs what worked last: %s", s.Host.Spec.Reason)
	}
	if s.Host.Paused {
		e.warn(subject, "host resume", "it is paused since somebody asked for it: nothing is restarted")
	}
	for _, one := range s.Services {
		if one.State == string(supervisor.Failed) {
			e.problem("services."+one.Name, "host why "+one.ID, "%s failed: %s", one.ID, one.Reason)
		}
	}
}

// status is how an instance stands in the running host; nil: it is not there.
func (e *examination) status(id string) *control.ServiceStatus {
	if e.Status == nil {
		return nil
	}
	for i, s := range e.Status.Services {
		if s.ID == id {
			return &e.Status.Services[i]
		}
	}
	return nil
}

// lookTime bounds what is asked of the network and of programs, for each service.
const lookTime = 10 * time.Second

func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
