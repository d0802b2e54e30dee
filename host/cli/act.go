package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"servicehost/host/control"
)

// actFlags are those of commands that do something to services and wait for it.
type actFlags struct {
	all     bool
	noWait  bool
	timeout duration
}

func (f *actFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.all, "all", false, "every service")
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "do not wait until it is done")
	cmd.Flags().Var(&f.timeout, "timeout", "wait no longer than this (default as long as it takes)")
}

func (f *actFlags) request(verb control.Verb, names []string) (control.ActRequest, error) {
	switch {
	case len(names) == 0 && !f.all:
		return control.ActRequest{}, withHint("host status lists the services; --all means every one", "say which services to %s", verb)
	case len(names) > 0 && f.all:
		return control.ActRequest{}, fmt.Errorf("--all and names of services exclude each other")
	}
	return control.ActRequest{Verb: verb, Names: names, All: f.all, NoWait: f.noWait, Timeout: f.timeout.value()}, nil
}

const actExits = "0  done\n  1  not done, or not all of it\n  4  no host is running"

// act asks the running host to do something and shows how each instance stands then.
func (a *app) act(ctx context.Context, q control.ActRequest, done string) error {
	r, err := ask(ctx, a, func(c *control.Client) (control.ActResult, error) { return c.Act(ctx, q) })
	if err != nil {
		return err
	}
	if err := a.show(r, func() { a.showOutcomes(r, q, done) }); err != nil {
		return err
	}
	if slices.ContainsFunc(r.Services, func(o control.ActOutcome) bool { return !o.OK }) {
		return &exit{exitFailed}
	}
	return nil
}

func (a *app) showOutcomes(r control.ActResult, q control.ActRequest, done string) {
	colors := a.colors()
	t := table{columns: []column{{}, {}, {}, {flex: true}}}
	for _, o := range r.Services {
		mark, color, words := "●", green, done
		if q.NoWait {
			words = "asked to " + string(q.Verb)
		}
		if !o.OK {
			mark, color, words = "✗", red, o.State
		}
		detail := clean(o.Reason)
		switch {
		case !o.OK:
		case q.NoWait, q.Verb == control.VerbSignal, q.Verb == control.VerbRotate:
			detail = "" // its reason is about something else
		case o.PID != 0:
			detail = fmt.Sprintf("pid %d", o.PID)
		}
		t.add(cell{mark, color}, cell{clean(o.ID), ""}, cell{clean(words), color}, cell{detail, ""})
	}
	width, _ := a.out.size()
	a.printf("%s", t.render(colors, width))
	if len(r.Services) == 0 {
		a.printf("there is no service to %s\n", q.Verb)
	}
}
