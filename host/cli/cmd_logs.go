package cli

import (
	"context"
	"regexp"

	"github.com/spf13/cobra"

	"servicehost/host"
	"servicehost/host/control"
	"servicehost/host/logs"
)

func newLogs(a *app) *cobra.Command {
	q := control.LogsRequest{}
	last := lines(100)
	cmd := &cobra.Command{
		Use:               "logs [name…]",
		Short:             "Show the output of services",
		ValidArgsFunction: a.completeServices,
		Long: `Shows the newest lines of the named services, or of all, and with -f those to come. It works with no
host running too, when the spec is at hand.

Behind the command -f means to follow; the file is named with --file, or before the command.` + exits(
			"0  shown, or following was interrupted",
			"1  there is no such service",
			"4  no host is running, and no spec is at hand"),
		RunE: func(cmd *cobra.Command, names []string) error {
			q.Services, q.Last = names, int(last)
			return a.logs(cmd.Context(), q)
		},
	}
	followFlags(a, cmd, &q.Follow)
	cmd.Flags().VarP(&last, "lines", "n", "so many of the newest lines of each service, or all")
	cmd.Flags().StringVar(&q.Grep, "grep", "", "only lines that this regular expression matches")
	return cmd
}

// followFlags take -f from the file, which keeps its long name.
func followFlags(a *app, cmd *cobra.Command, follow *bool) {
	cmd.Flags().Var(&a.files, "file", "the spec; several are merged left to right")
	cmd.Flags().BoolVarP(follow, "follow", "f", false, "go on with what comes")
}

func (a *app) logs(ctx context.Context, q control.LogsRequest) error {
	grep, err := regexp.Compile(q.Grep)
	if err != nil {
		return withHint("it is a regular expression as in Go, RE2 and grep -E", "cannot read --grep: %w", err)
	}
	w := a.newLogWriter()
	err = a.readLogs(ctx, q, grep, w)
	if ferr := w.flush(); err == nil {
		err = ferr
	}
	if q.Follow && ctx.Err() != nil {
		return nil // this is how following ends
	}
	return err
}

func (a *app) readLogs(ctx context.Context, q control.LogsRequest, grep *regexp.Regexp, w *logWriter) error {
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
	files, err := host.LogFiles(o.services, q.Services)
	if err != nil {
		return err
	}
	var ids []string
	for _, f := range files {
		ids = append(ids, f.ID)
	}
	w.announce(ids)
	lq := logs.Query{Last: q.Last, Follow: q.Follow}
	if q.Grep != "" {
		lq.Grep = grep
	}
	return logs.Read(ctx, files, lq, func(l logs.Line) error {
		return w.line(control.LogLine{ID: l.ID, Stream: l.Stream, Line: l.Text})
	})
}
