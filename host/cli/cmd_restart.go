package cli

import (
	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newRestart(a *app) *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:               "restart name…",
		Short:             "Stop services and start them again",
		ValidArgsFunction: a.completeServices,
		Long:              `Stops services, waits until nothing of them is left, and starts them again.` + exits(actExits),
		RunE: func(cmd *cobra.Command, names []string) error {
			q, err := f.request(control.VerbRestart, names)
			if err != nil {
				return err
			}
			return a.act(cmd.Context(), q, "restarted")
		},
	}
	f.add(cmd)
	return cmd
}
