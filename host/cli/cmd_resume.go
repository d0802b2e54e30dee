package cli

import "github.com/spf13/cobra"

func newResume(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "End maintenance: reloads and restarts go on",
		Long:  `Ends what host pause began. Edits made meanwhile are applied, and what should run is started.` + exits("0  resumed", "4  no host is running"),
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.pause(cmd.Context(), false) },
	}
}
