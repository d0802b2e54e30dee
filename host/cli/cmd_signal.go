package cli

import (
	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newSignal(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "signal name… SIG",
		Short:             "Send a signal to services",
		ValidArgsFunction: a.completeServices,
		Long: `Sends a signal to the whole process group of services: HUP, SIGUSR1, TERM …, on Windows ctrl_c or
ctrl_break. It is not a stop: a service that ends of it is treated as one that ended by itself.` + exits(actExits),
		Args: atLeast(2, "say which service and which signal, like: host signal web HUP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			names, signal := args[:len(args)-1], args[len(args)-1]
			return a.act(cmd.Context(), control.ActRequest{Verb: control.VerbSignal, Names: names, Signal: signal}, signal+" sent")
		},
	}
}

func atLeast(n int, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return withHint(hint, "%s needs %s", cmd.CommandPath(), count(n, "argument", "arguments"))
		}
		return nil
	}
}
