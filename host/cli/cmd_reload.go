package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newReload(a *app) *cobra.Command {
	var q control.ReloadRequest
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Apply the files as they are now, and show the result",
		Long: `Makes the running host read its files now and apply what changed. It waits until the steps are done;
with --wait also until changed services have stayed up for their time.` + exits(
			"0  applied, or nothing to do",
			"1  held until --confirm, or a change could not be carried out",
			"2  rejected: the spec is invalid, and what ran goes on running",
			"3  rolled back: at least one service runs what worked before, not what the files say",
			"4  no host is running"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.reload(cmd.Context(), q) },
	}
	f := cmd.Flags()
	f.BoolVar(&q.Confirm, "confirm", false, "apply an edit that is held because it stops or restarts so much")
	f.Var((*appended)(&q.Retry), "retry", "try the spec again that this service was rolled back from; repeatable")
	f.BoolVar(&q.Wait, "wait", false, "also wait until changed services have stayed up")
	return cmd
}

func (a *app) reload(ctx context.Context, q control.ReloadRequest) error {
	r, err := ask(ctx, a, func(c *control.Client) (control.ReloadResult, error) { return c.Reload(ctx, q) })
	if err != nil {
		return err
	}
	if err := a.show(r, func() { a.showReload(r) }); err != nil {
		return err
	}
	switch {
	case r.State == control.SpecRejected:
		return &exit{exitInvalid}
	case r.State == control.SpecRolledBack && len(r.RolledBack) > 0:
		return &exit{exitRolledBack}
	case r.State == control.SpecPending, len(r.Failed) > 0:
		return &exit{exitFailed}
	}
	return nil
}

func (a *app) showReload(r control.ReloadResult) {
	colors := a.colors()
	switch {
	case r.State == control.SpecRejected:
		a.printf("%s\n", colors.red("rejected: what ran goes on running"))
		a.writeProblems(a.Stdout, colors, r.Problems)
		return
	case r.State == control.SpecPending:
		a.printf("%s %s\n", colors.yellow("held:"), clean(r.Reason))
		writeChanges(a.Stdout, colors, r.Changes)
		a.printf("%s apply it with: host reload --confirm\n", colors.bold("hint:"))
		return
	}
	// What went back, now or earlier, is no change that was applied.
	done := 0
	for _, c := range r.Changes {
		if c.Action != "keep_rolled_back" && (c.ID == "" || !slices.Contains(r.RolledBack, c.ID)) {
			done++
		}
	}
	switch {
	case done > 0:
		a.printf("%s\n", colors.green("applied: "+count(done, "change", "changes")))
	case len(r.RolledBack) == 0:
		a.printf("nothing to do\n")
	}
	writeChanges(a.Stdout, colors, r.Changes)
	if len(r.RolledBack) > 0 {
		a.printf("%s %s\n", colors.red("rolled back:"), clean(strings.Join(r.RolledBack, ", ")))
	}
	if len(r.Failed) > 0 {
		a.printf("%s %s\n", colors.red("failed:"), clean(strings.Join(r.Failed, ", ")))
	}
	if r.Reason != "" {
		a.printf("%s\n", clean(r.Reason))
	}
}
