package cli

import (
	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newRunNow(a *app) *cobra.Command {
	var f actFlags
	cmd := &cobra.Command{
		Use:               "run-now name…",
		Short:             "Run jobs outside of their schedule",
		ValidArgsFunction: a.completeServices,
		Long: `Runs scheduled services or oneshots now, and returns once they run or have ended. Their schedule stays
as it is. What runs already is left alone, unless schedule.overlap lets the next run wait or take its place.` + exits(actExits),
		RunE: func(cmd *cobra.Command, names []string) error {
			q, err := f.request(control.VerbRunNow, names)
			if err != nil {
				return err
			}
			return a.act(cmd.Context(), q, "run")
		},
	}
	f.add(cmd)
	return cmd
}
