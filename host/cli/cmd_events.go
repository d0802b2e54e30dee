package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/journal"
)

func newEvents(a *app) *cobra.Command {
	q := control.EventsRequest{}
	last := lines(100)
	since, until := moment{now: a.now, back: true}, moment{now: a.now, back: true}
	cmd := &cobra.Command{
		Use:               "events [name…]",
		Short:             "Show what happened, and why",
		ValidArgsFunction: a.completeServices,
		Long: `Shows the newest events of the journal, oldest first, and with -f those to come. With --since it shows all
since then, unless -n is given. It works with no host running too, when the spec is at hand, and knows
services that the spec names no more. With -o json each event is one line; docs/events.md lists the kinds.

Behind the command -f means to follow; the file is named with --file, or before the command.` + exits(
			"0  shown, or following was interrupted",
			"1  there is no such service, and never was one",
			"4  no host is running, and no spec is at hand"),
		RunE: func(cmd *cobra.Command, names []string) error {
			q.Services = append(q.Services, names...)
			q.Since, q.Until = since.at, until.at
			switch q.Last = int(last); {
			case last == 0:
				q.Last = -1 // only what comes
			case last < 0:
				q.Last = 0
			}
			if !since.at.IsZero() && !cmd.Flags().Changed("lines") {
				q.Last = 0
			}
			if err := ordered(since, until); err != nil {
				return err
			}
			return a.events(cmd.Context(), q)
		},
	}
	followFlags(a, cmd, &q.Follow)
	cmd.Flags().Var((*appended)(&q.Services), "service", "only events of this service; repeatable")
	cmd.Flags().Var((*kinds)(&q.Kinds), "kind", "only events of this kind; repeatable")
	cmd.Flags().Var(&since, "since", "only events since then: 2h, 08:30, 2006-01-02T15:04:05")
	cmd.Flags().Var(&until, "until", "only events up to then")
	cmd.Flags().VarP(&last, "lines", "n", "so many of the newest events, or all")
	if err := cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(kindNames(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is not there
	}
	return cmd
}

// ordered refuses a time that ends before it begins.
func ordered(since, until moment) error {
	if !until.at.IsZero() && until.at.Before(since.at) {
		return withHint("--since is the earlier one", "nothing lies between --since %s and --until %s", since.text, until.text)
	}
	return nil
}

// kinds is a flag that names kinds of events, repeatable.
type kinds []journal.Kind

func (v *kinds) Type() string { return "kind" }

func (v *kinds) String() string {
	all := make([]string, len(*v))
	for n, k := range *v {
		all[n] = string(k)
	}
	return strings.Join(all, ",")
}

func (v *kinds) Set(s string) error {
	known := kindNames()
	name := strings.ReplaceAll(strings.ToLower(s), "-", "_")
	if !slices.Contains(known, name) {
		if near := nearest(name, known); near != "" {
			return fmt.Errorf("there is no such kind, did you mean %q?", near)
		}
		return errors.New("there is no such kind; docs/events.md lists them")
	}
	*v = append(*v, journal.Kind(name))
	return nil
}

func kindNames() []string {
	names := make([]string, len(journal.Meanings))
	for n, m := range journal.Meanings {
		names[n] = string(m.Kind)
	}
	return names
}

func (a *app) events(ctx context.Context, q control.EventsRequest) error {
	err := a.readEvents(ctx, q, a.showEvent)
	if q.Follow && ctx.Err() != nil {
		return nil // this is how following ends
	}
	return err
}

// readEvents asks the running host, or reads the journal of one that isn't running.
func (a *app) readEvents(ctx context.Context, q control.EventsRequest, send func(journal.Event) error) error {
	c, err := a.client(ctx)
	if err == nil {
		defer c.Close()
		if err := a.everKnown(ctx, c, q.Services); err != nil {
			return err
		}
		return c.Events(ctx, q, send)
	}
	o, offlineErr := a.orOffline(err)
	if offlineErr != nil {
		return offlineErr
	}
	if q.Follow {
		return err // nothing new comes without a host
	}
	for _, name := range q.Services {
		err := recorded(name, o.names(), func(q journal.Query, send func(journal.Event) error) error { return journal.Read(o.journal(), q, send) })
		if err != nil {
			return err
		}
	}
	return journal.Read(o.journal(), journal.Query{Services: q.Services, Kinds: q.Kinds, Since: q.Since, Until: q.Until, Last: q.Last}, send)
}

// everKnown refuses names that neither the running host nor its journal knows.
func (a *app) everKnown(ctx context.Context, c *control.Client, names []string) error {
	if len(names) == 0 {
		return nil
	}
	s, err := askStatus(ctx, c, nil)
	if err != nil {
		return err
	}
	for _, name := range names {
		err := recorded(name, serviceNames(s.Services), func(q journal.Query, send func(journal.Event) error) error {
			return c.Events(ctx, control.EventsRequest{Services: q.Services, Last: q.Last}, send)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// recorded returns an error with the nearest name for one that is neither among the present names nor in the
// journal, which remembers services that are gone.
func recorded(name string, present []string, read func(journal.Query, func(journal.Event) error) error) error {
	if slices.ContainsFunc(present, func(n string) bool { return strings.EqualFold(n, name) }) {
		return nil
	}
	found := false
	err := read(journal.Query{Services: []string{name}, Last: 1}, func(journal.Event) error {
		found = true
		return nil
	})
	if err != nil || found {
		return err
	}
	return noService(name, present)
}

func (a *app) showEvent(e journal.Event) error {
	if a.json() {
		data, err := json.Marshal(e)
		if err == nil {
			_, err = a.Stdout.Write(append(data, '\n'))
		}
		return err
	}
	_, err := a.Stdout.Write([]byte(eventLine(e, a.colors())))
	return err
}
