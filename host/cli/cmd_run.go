package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"servicehost/host"
	"servicehost/host/osservice"
)

func newRun(a *app) *cobra.Command {
	var (
		lastGood bool
		service  string
	)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the services, in the foreground or under a service manager",
		Long: `Runs the services of the spec until Ctrl-C or SIGTERM, and follows the file. A second Ctrl-C kills
everything at once.

With --last-good a broken file is no reason not to start: what worked last is run, and the problems
are shown in status and log. Service managers start the host so.` + exits(
			"0  ended as it was asked to",
			"1  could not run",
			"2  the spec is invalid, and there is no last good one"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if service != "" {
				return a.runService(cmd.Context(), service, lastGood)
			}
			return a.run(cmd.Context(), host.Options{LastGood: lastGood})
		},
	}
	cmd.Flags().BoolVar(&lastGood, "last-good", false, "run the last good spec when the file is broken")
	cmd.Flags().StringVar(&service, "service", "", "run as the installed service with this name")
	_ = cmd.Flags().MarkHidden("service") // the flag exists
	return cmd
}

// runService is run under the service manager. The manager hears of us before any file is read: it does
// not wait long for a service that says nothing.
func (a *app) runService(ctx context.Context, name string, lastGood bool) error {
	o := host.Options{LastGood: lastGood, Managed: true, Service: name}
	err := osservice.Run(ctx, name, func(ctx context.Context, s *osservice.Service) error {
		unproved, note, err := a.takeUpUpgrade()
		if err != nil {
			return &ended{err, exitFailed}
		}
		managed := o
		managed.Manager, managed.Controls, managed.Upgrade = s, controls(ctx, s.Controls()), note
		if unproved != "" {
			managed.Manager = &provingService{s, a, unproved}
		}
		if err := a.run(ctx, managed); err != nil {
			return &ended{err, exitCode(ctx, err)}
		}
		return nil
	})
	if _, ok := errors.AsType[*osservice.ByHand](err); ok {
		return a.run(ctx, o)
	}
	return err
}

// ended is the error of a host under a service manager, with the exit code that the manager keeps.
type ended struct {
	error
	code int
}

func (e *ended) Unwrap() error { return e.error }
func (e *ended) ExitCode() int { return e.code }

// controls gives what the service manager says the names that the host knows.
func controls(ctx context.Context, from <-chan string) <-chan host.Control {
	to := make(chan host.Control)
	go func() {
		for {
			select {
			case c, ok := <-from:
				if !ok {
					return
				}
				select {
				case to <- host.Control(c):
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return to
}

// run runs the host with what the flags say beside o.
func (a *app) run(ctx context.Context, o host.Options) error {
	files, err := a.specFiles()
	if err != nil {
		return err
	}
	surviveClosedOutput()
	o.Files, o.Profiles, o.Set = files, a.profiles, a.set
	o.Color, o.Version, o.Stderr, o.ForceStop = a.err.color && !a.noColor, a.build().Version, a.Stderr, a.force
	err = host.Run(ctx, o)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // it was asked to end, and did
	}
	return err
}
