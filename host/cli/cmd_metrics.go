package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newMetrics(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "metrics",
		Short: "Print the metrics of the running host, for Prometheus",
		Long: `Prints what host.http serves at /metrics, in the text format of Prometheus: for the textfile collector of
node_exporter, or to look at. docs/metrics.md says what is in it.` + exits("0  printed", "4  no host is running"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.json() {
				return withHint("host status -o json and GET /v1/usage have the same values as JSON", "metrics have one form, that of Prometheus")
			}
			c, err := a.client(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), askTime)
			defer cancel()
			return c.Metrics(ctx, a.Stdout)
		},
	}
}
