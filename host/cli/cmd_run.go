package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"servicehost/host"
)

func newRun(a *app) *cobra.Command {
	var lastGood bool
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
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context(), lastGood) },
	}
	cmd.Flags().BoolVar(&lastGood, "last-good", false, "run the last good spec when the file is broken")
	return cmd
}

func (a *app) run(ctx context.Context, lastGood bool) error {
	files, err := a.specFiles()
	if err != nil {
		return err
	}
	surviveClosedOutput()
	err = host.Run(ctx, host.Options{
		Files:     files,
		Profiles:  a.profiles,
		Set:       a.set,
		LastGood:  lastGood,
		Color:     a.err.color && !a.noColor,
		Version:   a.build().Version,
		Stderr:    a.Stderr,
		ForceStop: a.force,
	})
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // it was asked to end, and did
	}
	return err
}
