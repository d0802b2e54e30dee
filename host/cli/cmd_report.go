package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/human"
	"servicehost/host/journal"
)

func newReport(a *app) *cobra.Command {
	since := moment{now: a.now, back: true}
	cmd := &cobra.Command{
		Use:               "report [name…]",
		Short:             "Say how services did: availability, outages, restarts",
		ValidArgsFunction: a.completeServices,
		Long: `Sums up the journal for a period, the last 7 days unless --since says otherwise: for how much of the time
in which it should have been up a service was, how often and how long it was down, and why it was
restarted. Stops by an operator and replacements that an operator or an edit asked for count as planned;
times without a host, or before the journal begins, count neither for nor against a service, and are
named. docs/events.md says it in full. It works with no host running too, when the spec is at hand.` + exits(
			"0  shown",
			"1  nothing is known of such a service",
			"4  no host is running, and no spec is at hand"),
		RunE: func(cmd *cobra.Command, names []string) error {
			if since.at.IsZero() {
				since.at = a.now().Add(-control.ReportPeriod)
			}
			r, err := a.makeReport(cmd.Context(), control.ReportRequest{Names: names, Since: since.at})
			if err != nil {
				return err
			}
			return a.show(r, func() { a.printf("%s", a.reportText(r)) })
		},
	}
	cmd.Flags().Var(&since, "since", "how far back: 7d, 08:30, 2006-01-02 (default 7d)")
	return cmd
}

// makeReport asks the running host, or reads the journal of one that isn't running.
func (a *app) makeReport(ctx context.Context, q control.ReportRequest) (r control.Report, err error) {
	var present []string
	c, err := a.client(ctx)
	if err == nil {
		defer c.Close()
		s, err := askStatus(ctx, c, nil)
		if err != nil {
			return r, err
		}
		present = serviceNames(s.Services)
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		if r, err = c.Report(ctx, q); err != nil {
			return r, err
		}
	} else {
		o, err := a.orOffline(err)
		if err != nil {
			return r, err
		}
		present = o.names()
		r, err = journal.MakeReport(o.journal(), journal.ReportQuery{Since: q.Since, Until: a.now(), Names: q.Names, HostEnded: true})
		if err != nil {
			return r, err
		}
	}
	for _, name := range q.Names {
		if !slices.ContainsFunc(r.Services, func(s journal.ServiceReport) bool {
			return journal.Event{Service: s.Name, ID: s.ID, Instance: s.Instance}.IsOf(name)
		}) {
			if !slices.ContainsFunc(present, func(n string) bool { return strings.EqualFold(n, name) }) {
				return r, noService(name, present)
			}
			return r, withHint("the journal does not go back so far, or it was never started", "nothing is known of service %q", name)
		}
	}
	return r, nil
}

// reportText is the report for people.
func (a *app) reportText(r control.Report) string {
	colors := a.colors()
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s, %s", r.Since.Local().Format("2006-01-02 15:04"), r.Until.Local().Format("2006-01-02 15:04"), span(r.Until.Sub(r.Since).Seconds()))
	if r.Availability != nil {
		fmt.Fprintf(&b, ": %s up", colors.bold(percentage(*r.Availability)))
	}
	b.WriteByte('\n')
	before := 0.0 // the journal begins
	if k := r.KnownSince; k != nil {
		before = k.Sub(r.Since).Seconds()
		fmt.Fprintf(&b, "%s\n", colors.yellow("the journal begins at "+k.Local().Format("2006-01-02 15:04")+"; of the time before nothing is known"))
	}
	if h := r.Host; h.DownSeconds >= 1 || h.Crashes > 0 {
		crashed := ""
		if h.Crashes > 0 {
			crashed = fmt.Sprintf(", %d of them after a crash", h.Crashes)
		}
		fmt.Fprintf(&b, "%s\n", colors.yellow(fmt.Sprintf("no host ran for %s in all; it was started %s%s", span(h.DownSeconds), count(h.Starts, "time", "times"), crashed)))
	}
	t := table{columns: []column{{title: "SERVICE"}, {title: "UP", right: true}, {title: "DOWN", right: true}, {title: "PLANNED", right: true}, {title: "OUTAGES", right: true},
		{title: "MTTR", right: true}, {title: "MTBF", right: true}, {title: "RESTARTS", right: true}, {title: "NOTES", flex: true}}}
	dash := cell{"-", dim}
	for _, s := range r.Services {
		up, down, mttr, mtbf := dash, dash, dash, dash
		if s.Availability != nil {
			up = cell{percentage(*s.Availability), availabilityColor(*s.Availability)}
			down = cell{span(s.DownSeconds), ""}
		}
		if s.MTTRSeconds != nil {
			mttr, mtbf = cell{span(*s.MTTRSeconds), ""}, cell{span(*s.MTBFSeconds), ""}
		}
		t.add(cell{clean(s.ID), ""}, up, down, cell{span(s.PlannedSeconds), ""}, cell{fmt.Sprint(s.Outages), ""}, mttr, mtbf, cell{fmt.Sprint(s.Restarts), ""},
			cell{reportNotes(s, before), ""})
	}
	if len(r.Services) > 0 {
		width, _ := a.out.size()
		b.WriteString(t.render(colors, width))
	}
	return b.String()
}

// reportNotes are what the columns do not say. What is unknown of all was said already.
func reportNotes(s journal.ServiceReport, unknown float64) string {
	var notes []string
	if len(s.RestartsBy) > 0 {
		reasons := slices.Collect(maps.Keys(s.RestartsBy))
		slices.SortFunc(reasons, func(a, b string) int {
			if d := s.RestartsBy[b] - s.RestartsBy[a]; d != 0 {
				return d
			}
			return strings.Compare(a, b)
		})
		for n, reason := range reasons {
			reasons[n] = fmt.Sprintf("%s %d", strings.ReplaceAll(clean(reason), "_", " "), s.RestartsBy[reason])
		}
		notes = append(notes, "restarts: "+strings.Join(reasons, ", "))
	}
	if s.Runs > 0 || s.SkippedRuns > 0 {
		runs := count(s.Runs, "run", "runs")
		if s.FailedRuns > 0 {
			runs += fmt.Sprintf(", %d failed", s.FailedRuns)
		}
		if s.SkippedRuns > 0 {
			runs += fmt.Sprintf(", %d left out", s.SkippedRuns)
		}
		notes = append(notes, runs)
	}
	if o := s.LongestOutage; o != nil {
		words := "longest outage "
		if o.Ongoing {
			words = "down for "
		}
		words += span(o.Seconds)
		if !o.Ongoing {
			words += " at " + o.From.Local().Format("2006-01-02 15:04")
		}
		if o.Reason != "" {
			words += ": " + clean(o.Reason)
		}
		notes = append(notes, words)
	}
	if more := s.UnknownSeconds - unknown; more >= 60 {
		notes = append(notes, "unknown for "+span(more))
	}
	return strings.Join(notes, "; ")
}

// percentage keeps as many digits as tell three nines from four.
func percentage(p float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", p), "0"), ".") + "%"
}

func availabilityColor(p float64) string {
	switch {
	case p < 99:
		return red
	case p < 99.9:
		return yellow
	}
	return green
}

func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d >= time.Second {
		d = d.Round(time.Second)
	}
	return human.Duration(d)
}
