package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// explanation is what `host why -o json` says of one instance.
type explanation struct {
	ID    string   `json:"id"`
	State string   `json:"state,omitempty"`
	Why   []string `json:"why"`
}

func newWhy(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "why name",
		Short:             "Say why a service is as it is",
		ValidArgsFunction: a.completeServices,
		Long: `Goes back through the journal, from the state a service is in to what set it going: an operator, an
edit, a crash, a start of the host. What is indented is about a service that it depends on. It works with
no host running too, when the spec is at hand.` + exits(
			"0  said",
			"1  nothing is known of such a service",
			"4  no host is running, and no spec is at hand"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return withHint("like: host why web", "say which service")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.why(cmd.Context(), args[0]) },
	}
}

func (a *app) why(ctx context.Context, name string) error {
	events, states, err := a.causes(ctx, name)
	if err != nil {
		return err
	}
	reasons := map[string]string{}
	for id, s := range states {
		reasons[id] = s.Reason
		if !named(s, []string{name}) { // asked for what it says of others
			delete(states, id)
		}
	}
	ids := instancesIn(events, name)
	for id := range states {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	all := []explanation{}
	for _, id := range ids {
		x := explanation{ID: id, State: states[id].State, Why: journal.Explain(events, id, a.now(), reasons)}
		// What the journal remembers of an instance that is gone is no answer beside one that is there.
		if len(x.Why) == 0 && x.State == "" || len(states) > 0 && x.State == "" {
			continue
		}
		if now := saidNow(states[id]); now != "" && !slices.ContainsFunc(x.Why, func(l string) bool { return strings.Contains(l, now) }) {
			x.Why = slices.Insert(x.Why, min(1, len(x.Why)), "now: "+now)
		}
		if x.Why == nil {
			x.Why = []string{}
		}
		all = append(all, x)
	}
	if len(all) == 0 {
		return withHint("host events shows the journal", "nothing is known of a service %q", name)
	}
	if a.json() {
		return a.printJSON(all)
	}
	for i, x := range all {
		if i > 0 {
			a.printf("\n")
		}
		a.printf("%s\n", a.colors().bold(clean(x.ID)))
		for _, l := range x.Why {
			a.printf("  %s\n", clean(l))
		}
		if len(x.Why) == 0 {
			a.printf("  %s; the journal does not go back to the reason\n", clean(x.State))
		}
	}
	return nil
}

// saidNow is what the probes and the program say of a run, which no event tells.
func saidNow(s control.ServiceStatus) string {
	return reasonOf(control.ServiceStatus{State: s.State, Health: s.Health, HealthReason: s.HealthReason, StatusText: s.StatusText}, time.Time{})
}

// causes are the events of the whole host, and how its instances are, by id.
func (a *app) causes(ctx context.Context, name string) ([]journal.Event, map[string]control.ServiceStatus, error) {
	var events []journal.Event
	collect := func(e journal.Event) error {
		events = append(events, e)
		return nil
	}
	states := map[string]control.ServiceStatus{}
	c, err := a.client(ctx)
	if err != nil {
		o, err := a.orOffline(err)
		if err == nil {
			err = journal.Read(o.journal(), journal.Query{}, collect)
		}
		return events, states, err
	}
	defer c.Close()
	s, err := askStatus(ctx, c, nil)
	if err != nil {
		return nil, nil, err
	}
	if err := known(name, s.Services); err != nil {
		return nil, nil, err
	}
	for _, one := range s.Services {
		states[one.ID] = one
	}
	err = c.Events(ctx, control.EventsRequest{}, collect)
	return events, states, err
}

// instancesIn returns the ids by which a journal knows a service or an instance.
func instancesIn(events []journal.Event, name string) []string {
	var ids []string
	for _, e := range events {
		if e.ID != "" && (strings.EqualFold(e.ID, name) || strings.EqualFold(e.Service, name)) && !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	return ids
}
