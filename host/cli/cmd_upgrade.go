package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/human"
	"servicehost/host/osservice"
	"servicehost/host/upgrade"
)

// upgradeOptions are the flags of upgrade.
type upgradeOptions struct {
	sha256, checksums                            string
	downgrade, force, noRestart, dryRun, goesOld bool
	timeout                                      duration
}

func newUpgrade(a *app) *cobra.Command {
	o := upgradeOptions{timeout: duration(time.Minute)}
	cmd := &cobra.Command{
		Use:   "upgrade FILE",
		Short: "Replace this executable by another version, and go back if that does not work",
		Long: `Replaces the executable of the host by FILE. FILE is verified first: that it is a program for this
system, its SHA-256 (--sha256, --checksum-file, or FILE.sha256 if there is one), its version, and that it
takes the present spec. Then it is put in place, and the installed service that uses the executable is
restarted, --name or ` + osservice.DefaultName + `, with everything in it. The new version has to answer within the timeout and
to run all that ran before; if it does not, the former one is brought back and runs again.

The former executable stays beside it, with .old behind its name, until the next upgrade; --revert
goes back to it, also when it is started itself: host.old upgrade --revert. An upgrade that is cut short
by a crash is finished or undone by the next start of the service or the next upgrade.

Without an installed service, or with --no-restart, the executable is only replaced.` + exits(
			"0  upgraded, or it is that version already",
			"1  refused, with nothing changed, or undone",
			"4  the service of --name is not installed"),
		Args: func(_ *cobra.Command, args []string) error {
			if want := 1; len(args) != want && !(o.goesOld && len(args) == 0) {
				return withHint("host upgrade FILE", "upgrade takes the new executable, and nothing else")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.upgrade(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.sha256, "sha256", "", "the SHA-256 that FILE must have")
	f.StringVar(&o.checksums, "checksum-file", "", "a file that says it, as sha256sum writes it (default FILE.sha256 if there is one)")
	f.BoolVar(&o.downgrade, "allow-downgrade", false, "take an older version, too")
	f.BoolVar(&o.force, "force", false, "take the same version, too")
	f.BoolVar(&o.noRestart, "no-restart", false, "only replace: the service goes over when it is restarted, and nothing goes back by itself")
	f.BoolVar(&o.goesOld, "revert", false, "go back to the former executable")
	f.BoolVar(&o.dryRun, "dry-run", false, "verify, and change nothing")
	f.Var(&o.timeout, "timeout", "how long the new version has to answer and to bring everything back")
	return cmd
}

func (a *app) upgrade(ctx context.Context, args []string, o upgradeOptions) error {
	exe, err := upgrade.Target()
	if err != nil {
		return err
	}
	u := upgrade.Options{
		Exe: exe, SHA256: o.sha256, Checksums: o.checksums, Downgrade: o.downgrade || o.goesOld, Force: o.force,
		DryRun: o.dryRun, Timeout: o.timeout.value(),
	}
	if o.goesOld {
		u.File = exe + ".old"
	} else {
		u.File = args[0]
	}
	switch _, err := os.Stat(u.File); {
	case errors.Is(err, fs.ErrNotExist) && o.goesOld:
		return fmt.Errorf("cannot go back: there is no former executable %s", human.Path(u.File))
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot upgrade: there is no file %s", human.Path(u.File))
	case err != nil:
		return fmt.Errorf("cannot upgrade: %w", err)
	}
	service, notes, err := a.serviceOf(ctx, exe)
	if err != nil {
		return err
	}
	if u.Validate, err = a.validateArgs(ctx, service); err != nil {
		return err
	}
	switch {
	case service == nil:
	case o.noRestart:
		notes = append(notes, fmt.Sprintf("service %q goes on with the former version until it is restarted: host daemon restart%s", service.name, a.nameFlag(service.name)))
	default:
		u.Service, u.ServiceName = service, service.name
		if err := mayRestart(); err != nil && !o.dryRun && service.Look(ctx).Down == "" {
			return err
		}
	}
	if !a.json() {
		u.Say = func(line string) { a.printf("%s\n", clean(line)) }
	}
	r, err := upgrade.Run(ctx, u)
	if r.Replaced || o.dryRun {
		r.Notes = append(r.Notes, notes...)
	}
	if _, undone := errors.AsType[*upgrade.Reverted](err); undone {
		return withHint("its log says more: "+a.logHint(ctx, service), "%w", err)
	}
	if err != nil {
		return err
	}
	return a.show(r, func() { a.showUpgrade(r, o) })
}

func (a *app) showUpgrade(r upgrade.Result, o upgradeOptions) {
	c := a.colors()
	switch {
	case r.Restarted:
		a.printf("%s\n", c.green(fmt.Sprintf("service %q runs version %s now, before %s", r.Service, r.To, r.From)))
	case r.Replaced:
		a.printf("%s is version %s now, before %s\n", clean(r.Exe), r.To, r.From)
	case r.From == r.To && !o.force:
		a.printf("version %s is in place already\n", r.To)
	default:
		a.printf("version %s would replace %s; nothing was changed\n", r.To, r.From)
	}
	if r.Old != "" {
		a.printf("the former executable is kept as %s; host upgrade --revert goes back to it\n", clean(r.Old))
	}
	for _, n := range r.Notes {
		a.printf("%s %s\n", c.yellow("note:"), clean(n))
	}
}

// markerVariable is in the environment of all that a host started.
const markerVariable = "HOST_RUN"

// mayRestart refuses what would end this process halfway.
func mayRestart() error {
	if os.Getenv(markerVariable) == "" {
		return nil
	}
	return withHint("run it from a shell or a task of the system, or give --no-restart and have the service restarted by somebody else",
		"cannot upgrade: this process was started by a host, which would stop it together with its services in the middle of the upgrade")
}

// logHint is where the log of the host is.
func (a *app) logHint(ctx context.Context, s *upgradeService) string {
	if s != nil {
		if e, ok := s.entry(ctx); ok && e.LogsDir != "" {
			return e.LogsDir
		}
	}
	return "host daemon status"
}
