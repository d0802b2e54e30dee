package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newPause(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "pause",
		Short: "Begin maintenance: no reload and no restart by the host",
		Long: `Until host resume nothing is reloaded, and nothing that ends is restarted. What an operator asks for
is still done.` + exits("0  paused", "4  no host is running"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.pause(cmd.Context(), true) },
	}
}

func (a *app) pause(ctx context.Context, on bool) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Pause(ctx, on); err != nil {
		return err
	}
	switch {
	case a.json():
		return a.printJSON(map[string]bool{"paused": on})
	case on:
		a.printf("paused: no reload and no restart until host resume\n")
	default:
		a.printf("resumed\n")
	}
	return nil
}
