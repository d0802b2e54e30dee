package cli

import (
	"context"

	"github.com/spf13/cobra"

	"servicehost/host/eventlog"
	"servicehost/host/osservice"
)

func newUninstall(a *app) *cobra.Command {
	timeout := duration(daemonTimeout)
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Stop and remove the service of the system",
		Long: `Stops the service that host install made, --name or ` + osservice.DefaultName + `, and removes it. The spec, the state folder
and the logs stay where they are.` + exits(
			"0  removed",
			"1  could not be removed",
			"4  no such service is installed"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.uninstall(cmd.Context(), timeout) },
	}
	cmd.Flags().Var(&timeout, "timeout", "how long to wait for its end")
	return cmd
}

func (a *app) uninstall(ctx context.Context, timeout duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout.value())
	defer cancel()
	name, err := a.serviceName()
	if err != nil {
		return err
	}
	manager, err := osservice.New()
	if err != nil {
		return err
	}
	if err := manager.Uninstall(ctx, name); err != nil {
		return err
	}
	out := installed{Name: name, Changed: []string{}, Warnings: []string{}}
	if err := eventlog.Remove(name); err != nil {
		out.Warnings = append(out.Warnings, err.Error())
	}
	return a.show(out, func() {
		a.printf("service %q is removed; spec, state and logs stay where they are\n", name)
		for _, w := range out.Warnings {
			a.printf("%s %s\n", a.colors().yellow("warning:"), cleanLines(w))
		}
	})
}
