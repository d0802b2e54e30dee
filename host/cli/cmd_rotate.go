package cli

import (
	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newRotate(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "rotate [name…]",
		Short:             "Begin new log files now",
		ValidArgsFunction: a.completeServices,
		Long: `Rotates the logs of the named services, or of all and the host's own log file. Nothing is restarted and no
line is lost. SIGUSR1, or control 128 of the service manager of Windows, does the same for all.` + exits(actExits),
		RunE: func(cmd *cobra.Command, names []string) error {
			q := control.ActRequest{Verb: control.VerbRotate, Names: names, All: len(names) == 0}
			return a.act(cmd.Context(), q, "rotated")
		},
	}
}
