package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/osservice"
)

// daemonTimeout is how long a command waits for the service manager. A stop takes as long as the stop
// ladders of the services.
const daemonTimeout = 10 * time.Minute

func newDaemon(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "Start, stop and look at the installed service",
		Long: `Speaks with the service manager of the system about the service that host install made, --name or
` + osservice.DefaultName + `. What runs in it is the business of host status.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cmd.AddCommand(
		a.daemonVerb("start", "Start the service; done when it is up", "started", osservice.Running, osservice.Installer.Start),
		a.daemonVerb("stop", "Stop the service with everything in it", "stopped", osservice.Stopped, osservice.Installer.Stop),
		a.daemonVerb("restart", "Stop the service and start it again", "restarted", osservice.Running, restartDaemon),
		newDaemonStatus(a),
	)
	return cmd
}

func restartDaemon(m osservice.Installer, ctx context.Context, name string) error {
	if err := m.Stop(ctx, name); err != nil {
		return err
	}
	return m.Start(ctx, name)
}

// daemonVerb is a command that brings the service into the state end.
func (a *app) daemonVerb(verb, short, done string, end osservice.State, do func(osservice.Installer, context.Context, string) error) *cobra.Command {
	timeout := duration(daemonTimeout)
	cmd := &cobra.Command{
		Use:   verb,
		Short: short,
		Long: short + `. What is so already is no error.` + exits(
			"0  "+done,
			"1  could not be "+done,
			"4  no such service is installed"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout.value())
			defer cancel()
			return a.daemon(ctx, done, end, do)
		},
	}
	cmd.Flags().Var(&timeout, "timeout", "how long to wait for it")
	return cmd
}

func (a *app) daemon(ctx context.Context, done string, end osservice.State, do func(osservice.Installer, context.Context, string) error) error {
	name, err := a.serviceName()
	if err != nil {
		return err
	}
	manager, err := osservice.New()
	if err != nil {
		return err
	}
	before, err := manager.Status(ctx, name)
	if err != nil {
		return err
	}
	if err := do(manager, ctx, name); err != nil {
		return err
	}
	after, err := manager.Status(ctx, name)
	if err != nil {
		return err
	}
	if after.State != end {
		return withHint("host daemon status"+a.nameFlag(name)+" and the log of the host say more", "service %q is %s", name, after.State)
	}
	return a.show(after, func() {
		pid := ""
		if after.PID != 0 {
			pid = " (pid " + strconv.Itoa(after.PID) + ")"
		}
		if before.State == end && before.PID == after.PID {
			a.printf("service %q is %s already%s\n", name, end, pid)
			return
		}
		a.printf("service %q is %s%s\n", name, done, pid)
	})
}

func newDaemonStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "What the service manager says of the service",
		Long: `Shows what the service manager of the system says of the installed service.` + exits(
			"0  running",
			"1  the service manager can't be asked",
			"3  installed, but not running",
			"4  no such service is installed"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), askTime)
			defer cancel()
			return a.daemonStatus(ctx)
		},
	}
}

func (a *app) daemonStatus(ctx context.Context) error {
	name, err := a.serviceName()
	if err != nil {
		return err
	}
	manager, err := osservice.New()
	if err != nil {
		return err
	}
	s, err := manager.Status(ctx, name)
	if err != nil {
		return err
	}
	if err := a.show(s, func() { a.showDaemon(s) }); err != nil {
		return err
	}
	if s.State != osservice.Running {
		return &exit{exitNotAsDesired}
	}
	return nil
}

func (a *app) showDaemon(s osservice.Status) {
	c := a.colors()
	state := string(s.State)
	switch s.State {
	case osservice.Running:
		state = c.green(state)
	case osservice.Failed:
		state = c.red(state)
	case osservice.Stopped, osservice.Starting, osservice.Stopping, osservice.Paused:
		state = c.yellow(state)
	}
	pid := ""
	if s.PID != 0 {
		pid = ", pid " + strconv.Itoa(s.PID)
	}
	a.printf("%s is %s%s, start %s\n", clean(s.Name), state, pid, s.Start)
	line := func(title, text string) {
		if text != "" {
			a.printf("  %-10s %s\n", title, clean(text))
		}
	}
	line("says", s.Detail)
	line("account", s.Account)
	line("command", s.Command)
	if s.ExitCode != 0 {
		line("last exit", "code "+strconv.Itoa(s.ExitCode))
	}
}
