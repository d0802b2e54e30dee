package cli

import (
	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newStop(a *app) *cobra.Command {
	var f actFlags
	end := moment{now: a.now}
	cmd := &cobra.Command{
		Use:               "stop name…",
		Short:             "Stop services, and keep them stopped",
		ValidArgsFunction: a.completeServices,
		Long: `Stops services and waits until nothing of them is left. They stay stopped through reloads, restarts of
the host and reboots, until host start; with --until they are started again by themselves.` + exits(actExits),
		RunE: func(cmd *cobra.Command, names []string) error {
			q, err := f.request(control.VerbStop, names)
			if err != nil {
				return err
			}
			if !end.at.IsZero() {
				if !end.at.After(a.now()) {
					return withHint("give a duration like 2h, or a time to come", "--until %s is over already", end.text)
				}
				q.Until = &end.at
			}
			return a.act(cmd.Context(), q, "stopped")
		},
	}
	f.add(cmd)
	cmd.Flags().Var(&end, "until", "start them again then: 2h, 17:30, 2006-01-02T15:04:05")
	return cmd
}
