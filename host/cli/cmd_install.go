package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/host"
	"servicehost/host/eventlog"
	"servicehost/host/human"
	"servicehost/host/osservice"
	"servicehost/spec"
)

// installOptions are the flags of install.
type installOptions struct {
	display, description, account string
	start                         choice
	passwordStdin                 bool
	depends                       appended
	privileges                    string
}

// wantedPrivileges are those of --privileges: nil for the ones that the host needs, none for all of the account.
func (o installOptions) wantedPrivileges() []string {
	switch {
	case o.privileges == "":
		return nil
	case strings.EqualFold(o.privileges, "all"):
		return []string{}
	}
	return strings.Split(o.privileges, ",")
}

func newInstall(a *app) *cobra.Command {
	o := installOptions{start: choice{value: "auto", allowed: []string{"auto", "delayed", "manual", "disabled"}}}
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install the host as a service of the system",
		Long: `Installs the host with this spec as a service of the operating system: under the service manager of
Windows, systemd or launchd. --name names the service (default ` + osservice.DefaultName + `); -f, --profile and --set are kept.
Installed once more, what differs is changed. The service is not started: host daemon start does that.

The spec is checked first; one that is broken installs nothing. A password is asked for where the
account needs one, or read from standard input with --password-stdin; it is never an argument.` + exits(
			"0  installed, changed, or so already",
			"1  nothing was installed"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.install(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.display, "display-name", "", "the name that people see (default the name)")
	f.StringVar(&o.description, "description", "", "what the service is for")
	f.Var(&o.start, "start", "when the system starts it")
	f.StringVar(&o.account, "account", "", `the account it runs as: NT SERVICE\name, DOMAIN\name, a user (default LocalSystem or root)`)
	f.BoolVar(&o.passwordStdin, "password-stdin", false, "read the password of the account from standard input")
	f.StringVar(&o.privileges, "privileges", "", "Windows: what the service may ever do, NAME,NAME or all of the account (default what the host needs)")
	f.Var(&o.depends, "depend", "a service of the system that must run first; repeatable")
	return cmd
}

// installed is what `host install -o json` says.
type installed struct {
	Name     string   `json:"name"`
	Created  bool     `json:"created"`
	Changed  []string `json:"changed"`
	Warnings []string `json:"warnings"`
}

func (a *app) install(ctx context.Context, o installOptions) error {
	name, err := a.serviceName()
	if err != nil {
		return err
	}
	files, err := a.specFiles()
	if err != nil {
		return err
	}
	s, warnings, err := a.specToInstall(name, files)
	if err != nil {
		return err
	}
	manager, err := osservice.New()
	if err != nil {
		return err
	}
	c := osservice.Config{
		Name: name, DisplayName: o.display, Description: o.description, Dir: filepath.Dir(files[0]),
		Start: osservice.StartType(o.start.value), Account: o.account, Dependencies: o.depends, Privileges: o.wantedPrivileges(),
		Args: a.serviceArgs(name, files), StopBudget: host.StopBudget(s.Host),
	}
	if c.DisplayName == "" {
		c.DisplayName = name
	}
	if c.Description == "" {
		c.Description = "Keeps the processes of " + human.Path(files[0]) + " running"
	}
	if c.Exe, err = os.Executable(); err != nil {
		return fmt.Errorf("cannot find the own executable: %w", err)
	}
	if c.Password, err = a.password(o); err != nil {
		return err
	}
	r, err := manager.Install(ctx, c)
	if err != nil {
		return err
	}
	out := installed{Name: name, Created: r.Created, Changed: slices.Concat([]string{}, r.Changed), Warnings: slices.Concat(warnings, r.Warnings)}
	if w := warnOfAccount(name, o.account); w != "" {
		out.Warnings = append(out.Warnings, w)
	}
	if err := eventlog.Install(name); err != nil {
		out.Warnings = append(out.Warnings, err.Error())
	}
	if err := makeFolders(s.Host.StateDir, s.Host.Logs.Dir, o.account); err != nil {
		out.Warnings = append(out.Warnings, err.Error())
	}
	return a.show(out, func() { a.showInstalled(out) })
}

// specToInstall loads the spec as the service will. Only one that is in order is installed.
func (a *app) specToInstall(name string, files []string) (*spec.Spec, []string, error) {
	opts := a.loadOptions(files, "")
	opts.Managed = true
	if name != osservice.DefaultName {
		opts.DefaultName = name
	}
	r := spec.Load(opts)
	if r.Spec == nil {
		if a.json() {
			return nil, nil, withHint("host validate shows all problems", "the spec is invalid: %s", r.Problems[0])
		}
		a.writeProblems(a.Stderr, palette{on: a.err.color && !a.noColor}, r.Problems)
		fmt.Fprintln(a.Stderr, "nothing was installed")
		return nil, nil, &exit{exitFailed}
	}
	warnings := []string{}
	for _, w := range r.Warnings {
		warnings = append(warnings, w.String())
	}
	if len(a.set) > 0 {
		warnings = append(warnings, "the values of --set are kept in the definition of the service, which every user of this machine can read: use secrets for what is none of their business")
	}
	return r.Spec, warnings, nil
}

// serviceArgs is the command line of the installed service, without the executable.
func (a *app) serviceArgs(name string, files []string) []string {
	args := []string{"run", "--last-good", "--service", name}
	for _, f := range files {
		args = append(args, "-f", f)
	}
	for _, p := range a.profiles {
		args = append(args, "--profile", p)
	}
	for _, k := range slices.Sorted(maps.Keys(a.set)) {
		args = append(args, "--set", k+"="+a.set[k])
	}
	return args
}

func (a *app) showInstalled(r installed) {
	c := a.colors()
	switch {
	case r.Created:
		a.printf("service %q is installed\n", r.Name)
	case len(r.Changed) == 0:
		a.printf("service %q is installed so already\n", r.Name)
	default:
		a.printf("service %q is changed:\n", r.Name)
		for _, line := range r.Changed {
			a.printf("  %s\n", clean(line))
		}
	}
	for _, w := range r.Warnings {
		a.printf("%s %s\n", c.yellow("warning:"), cleanLines(w))
	}
	word := "start"
	if !r.Created && len(r.Changed) > 0 {
		word = "restart"
	}
	if r.Created || len(r.Changed) > 0 {
		a.printf("%s it with: host daemon %s%s\n", word, word, a.nameFlag(r.Name))
	}
}

// serviceName is the name of the OS service that the flags mean.
func (a *app) serviceName() (string, error) {
	if a.name == "" {
		return osservice.DefaultName, nil
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if strings.Trim(a.name, allowed) != "" || len(a.name) > 64 || strings.ContainsAny(a.name[:1], ".-") {
		return "", withHint("use letters, digits, dot, - and _, at most 64, with a letter or digit first", "cannot call a service %q", clean(a.name))
	}
	return a.name, nil
}

// nameFlag is what a command about this service has to say.
func (a *app) nameFlag(name string) string {
	if name == osservice.DefaultName {
		return ""
	}
	return " --name " + shellQuote(name)
}
