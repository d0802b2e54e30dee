package cli

import (
	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newStart(a *app) *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:               "start name…",
		Short:             "Start services, and take an operator's stop back",
		ValidArgsFunction: a.completeServices,
		Long:              `Starts services and waits until they run. Failed ones are tried again at once.` + exits(actExits),
		RunE: func(cmd *cobra.Command, names []string) error {
			q, err := f.request(control.VerbStart, names)
			if err != nil {
				return err
			}
			return a.act(cmd.Context(), q, "started")
		},
	}
	f.add(cmd)
	return cmd
}
