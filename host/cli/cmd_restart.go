package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newRestart(a *app) *cobra.Command {
	var (
		f       actFlags
		rolling bool
	)
	cmd := &cobra.Command{
		Use:               "restart name…",
		Short:             "Stop services and start them again",
		ValidArgsFunction: a.completeServices,
		Long: `Stops services, waits until nothing of them is left, and starts them again. One with update.order start_first
gets a new process beside the current one, which is stopped when the new one is ready; if that fails, the
current one goes on.

With --rolling one instance after another, and the first that does not come back ends it: the others
go on as they are.` + exits(actExits),
		RunE: func(cmd *cobra.Command, names []string) error {
			q, err := f.request(control.VerbRestart, names)
			if err != nil {
				return err
			}
			if !rolling {
				return a.act(cmd.Context(), q, "restarted")
			}
			if q.NoWait {
				return errors.New("--rolling and --no-wait exclude each other")
			}
			return a.restartRolling(cmd.Context(), q)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&rolling, "rolling", false, "one instance after another")
	return cmd
}

// restartRolling restarts the instances of a request one by one, as long as each comes back.
func (a *app) restartRolling(ctx context.Context, q control.ActRequest) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := askStatus(ctx, c, q.Names)
	if err != nil {
		return err
	}
	var end time.Time
	if q.Timeout > 0 {
		end = a.now().Add(q.Timeout)
	}
	all := control.ActResult{Services: []control.ActOutcome{}}
	failed := func() bool {
		return slices.ContainsFunc(all.Services, func(o control.ActOutcome) bool { return !o.OK })
	}
	for _, one := range s.Services {
		step := control.ActRequest{Verb: q.Verb, Names: []string{one.ID}}
		if !end.IsZero() {
			step.Timeout = max(end.Sub(a.now()), time.Nanosecond)
		}
		r, err := c.Act(ctx, step)
		if err != nil {
			return err
		}
		all.Services = append(all.Services, r.Services...)
		if failed() {
			break
		}
	}
	if a.json() {
		err = a.printJSON(all)
	} else {
		a.showOutcomes(all, q, "restarted")
	}
	if err == nil && failed() {
		err = &exit{exitFailed}
	}
	return err
}
