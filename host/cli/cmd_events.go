package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/journal"
)

func newEvents(a *app) *cobra.Command {
	var (
		follow   bool
		services []string
	)
	last := lines(100)
	since := moment{now: a.now, back: true}
	cmd := &cobra.Command{
		Use:               "events [name…]",
		Short:             "Show what happened, and why",
		ValidArgsFunction: a.completeServices,
		Long: `Shows the newest events of the journal, oldest first, and with -f those to come. It works with no host
running too, when the spec is at hand. With -o json each event is one line.

Behind the command -f means to follow; the file is named with --file, or before the command.` + exits(
			"0  shown, or following was interrupted",
			"4  no host is running, and no spec is at hand"),
		RunE: func(cmd *cobra.Command, names []string) error {
			q := control.EventsRequest{Services: append(services, names...), Since: since.at, Last: max(0, int(last)), Follow: follow}
			if !since.at.IsZero() && !cmd.Flags().Changed("lines") {
				q.Last = 0
			}
			return a.events(cmd.Context(), q)
		},
	}
	followFlags(a, cmd, &follow)
	cmd.Flags().Var((*appended)(&services), "service", "only events of this service; repeatable")
	cmd.Flags().Var(&since, "since", "only events since then: 2h, 08:30, 2006-01-02T15:04:05")
	cmd.Flags().VarP(&last, "lines", "n", "so many of the newest events, or all")
	return cmd
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
		return c.Events(ctx, q, send)
	}
	o, offlineErr := a.orOffline(err)
	if offlineErr != nil {
		return offlineErr
	}
	if q.Follow {
		return err // nothing new comes without a host
	}
	return journal.Read(o.journal(), journal.Query{Services: q.Services, Since: q.Since, Last: q.Last}, send)
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
