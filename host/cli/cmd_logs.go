package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/host"
	"servicehost/host/control"
)

func newLogs(a *app) *cobra.Command {
	q := control.LogsRequest{}
	last := lines(100)
	since, until := moment{now: a.now, back: true}, moment{now: a.now, back: true}
	stream := choice{value: "all", allowed: []string{"stdout", "stderr", "host", "all"}}
	cmd := &cobra.Command{
		Use:               "logs [name…]",
		Short:             "Show the output of services",
		ValidArgsFunction: a.completeServices,
		Long: `Shows the newest lines of the named services, or of all, merged by time, and with -f those to come;
what was rotated and compressed is read too. With --since it shows all lines since then, unless -n is
given. It works with no host running too, when the spec is at hand.

With -o json each line is an object with time, id, service, instance, stream and line; with -o raw it is
as in the file. Lines of raw logs are known to the second.

Behind the command -f means to follow; the file is named with --file, or before the command.` + exits(
			"0  shown, or following was interrupted",
			"1  there is no such service",
			"4  no host is running, and no spec is at hand"),
		RunE: func(cmd *cobra.Command, names []string) error {
			q.Services, q.Last, q.Since, q.Until = names, int(last), since.at, until.at
			if !q.Since.IsZero() && !cmd.Flags().Changed("lines") {
				q.Last = -1
			}
			if err := ordered(since, until); err != nil {
				return err
			}
			if stream.value != "all" {
				q.Stream = stream.value
			}
			return a.logs(cmd.Context(), q)
		},
	}
	followFlags(a, cmd, &q.Follow)
	f := cmd.Flags()
	f.VarP(&last, "lines", "n", "so many of the newest lines of each service, or all")
	f.Var(&since, "since", "only lines since then: 10m, 08:30, 2006-01-02T15:04:05")
	f.Var(&until, "until", "only lines up to then")
	f.StringVar(&q.Grep, "grep", "", "only lines that this regular expression matches")
	f.Var(&stream, "stream", "only lines of this stream; host is what the host itself wrote into a log of records")
	f.VarP(&rawToo{&a.output}, "output", "o", "form of the output: text, json or raw")
	return cmd
}

// rawToo is the output flag of a command that knows raw.
type rawToo struct{ *choice }

func (v *rawToo) Type() string { return strings.Join(v.all(), "|") }
func (v *rawToo) Set(s string) error {
	wider := choice{allowed: v.all()}
	if err := wider.Set(s); err != nil {
		return err
	}
	v.value = s
	return nil
}

func (v *rawToo) all() []string { return append(slices.Clone(v.allowed), "raw") }

// followFlags take -f from the file, which keeps its long name.
func followFlags(a *app, cmd *cobra.Command, follow *bool) {
	cmd.Flags().Var(&a.files, "file", "the spec; several are merged left to right")
	cmd.Flags().BoolVarP(follow, "follow", "f", false, "go on with what comes")
}

func (a *app) logs(ctx context.Context, q control.LogsRequest) error {
	q.Raw = a.output.value == "raw"
	if _, err := regexp.Compile(q.Grep); err != nil {
		return withHint("it is a regular expression as in Go, RE2 and grep -E", "cannot read --grep: %w", err)
	}
	w := a.newLogWriter()
	err := a.readLogs(ctx, q, w)
	if ferr := w.flush(); err == nil {
		err = ferr
	}
	if q.Follow && ctx.Err() != nil {
		return nil // this is how following ends
	}
	return err
}

func (a *app) readLogs(ctx context.Context, q control.LogsRequest, w *logWriter) error {
	c, err := a.client(ctx)
	if err == nil {
		defer c.Close()
		s, err := askStatus(ctx, c, q.Services)
		if err != nil {
			return err
		}
		var ids []string
		for _, one := range s.Services {
			ids = append(ids, one.ID)
		}
		w.announce(ids)
		return c.Logs(ctx, q, w.line)
	}
	noHost := err
	o, err := a.orOffline(noHost)
	if err != nil {
		return err
	}
	if o.problems != nil {
		return withHint("host validate shows them", "%w, and the spec that says where the logs are has %s",
			noHost, count(len(o.problems), "problem", "problems"))
	}
	var ids []string
	for _, name := range q.Services {
		if !slices.ContainsFunc(o.names(), func(n string) bool { return strings.EqualFold(n, name) }) {
			return noService(name, o.names())
		}
	}
	for _, one := range o.services {
		if len(q.Services) == 0 || slices.ContainsFunc(q.Services, func(n string) bool {
			return strings.EqualFold(n, one.Name) || strings.EqualFold(n, fmt.Sprintf("%s.%d", one.Name, one.Instance))
		}) {
			ids = append(ids, one.ID)
		}
	}
	w.announce(ids)
	return host.ReadLogs(ctx, o.services, q, w.line)
}
