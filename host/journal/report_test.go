package journal

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// days are in the past of noon, so that a period ends at noon.
func reportOf(t *testing.T, since time.Duration, events ...Event) Report {
	t.Helper()
	l := newLedger()
	l.cut, l.from = noon.Add(-since), noon.Add(-since)
	for n, e := range events {
		e.Seq = uint64(n + 1)
		if e.Service != "" {
			e.Instance = 1
		}
		l.add(e)
	}
	return l.report(ReportQuery{Since: l.cut, Until: noon})
}

func moved(d time.Duration, to, cause, reason string) Event {
	e := ago(d, Event{Kind: StateChanged, ID: "api", To: to, Reason: reason})
	if cause != "" {
		e.Details = map[string]string{DetailCause: cause}
	}
	return e
}

func ended(d time.Duration, text string, success bool) Event {
	e := ago(d, Event{Kind: ProcessExited, ID: "api", Reason: text, Exit: &Exit{Text: text}})
	if success {
		e.Details = map[string]string{DetailSuccess: "true"}
	}
	return e
}

const (
	minute = time.Minute
	hour   = time.Hour
)

func TestReportCountsTime(t *testing.T) {
	started := func(d time.Duration) []Event {
		return []Event{ago(d, Event{Kind: HostStarted}), moved(d, "starting", "", ""), moved(d, "running", "", "")}
	}
	with := func(d time.Duration, more ...Event) []Event { return append(started(d), more...) }
	type want struct {
		up, down, planned, host, unknown time.Duration
		outages                          int
		longest                          time.Duration
		restarts                         string
	}
	for _, c := range []struct {
		name   string
		since  time.Duration
		events []Event
		want   want
	}{
		{"up all the time", hour, started(2 * hour), want{up: hour}},
		{"journal begins later", 3 * hour, started(2 * hour), want{up: 2 * hour, unknown: hour}},
		{"a crash", 10 * hour, with(10*hour, ended(5*hour, "exit 3", false), moved(5*hour, "backoff", "", "exit 3, next try in 1m"),
			moved(5*hour-minute, "starting", "", ""), moved(5*hour-minute, "running", "", "")),
			want{up: 10*hour - minute, down: minute, outages: 1, longest: minute, restarts: "exit 1"}},
		{"three crashes, the last one goes on", 10 * hour, with(10*hour,
			moved(9*hour, "backoff", "", ""), moved(9*hour-2*minute, "starting", "", ""), moved(9*hour-2*minute, "running", "", ""),
			moved(8*hour, "backoff", "", ""), moved(8*hour-4*minute, "starting", "", ""), moved(8*hour-4*minute, "running", "", ""),
			moved(hour, "failed", "", "crash loop")),
			want{up: 9*hour - 6*minute, down: hour + 6*minute, outages: 3, longest: hour, restarts: "exit 2"}},
		{"stopped by an operator", 4 * hour, with(4*hour, moved(3*hour, "stopping", "", "stopped by root"), ended(3*hour, "SIGTERM", true), moved(3*hour, "stopped", "", "stopped by root"),
			moved(hour, "starting", "", "started by root"), moved(hour, "running", "", "")),
			want{up: 2 * hour, planned: 2 * hour}},
		{"restarted by an operator", 4 * hour, with(4*hour, ago(3*hour, Event{Kind: OperatorAction, ID: "api", Reason: "restart"}),
			moved(3*hour, "stopping", CauseAsked, ""), ended(3*hour-minute, "SIGTERM", true), moved(3*hour-minute, "starting", "", ""), moved(3*hour-2*minute, "running", "", "")),
			want{up: 4*hour - 2*minute, planned: 2 * minute, restarts: "operator 1"}},
		{"restarted with its dependency", 4 * hour, with(4*hour,
			moved(3*hour, "stopping", CauseAsked, ""), moved(3*hour, "starting", "", ""), moved(3*hour-minute, "running", "", "")),
			want{up: 4*hour - minute, planned: minute, restarts: "dependency 1"}},
		{"a change that takes too long", 4 * hour, with(4*hour,
			moved(3*hour, "stopping", CauseChange, "its spec changed"), moved(3*hour, "starting", "", ""), moved(3*hour-15*minute, "running", "", "")),
			want{up: 4*hour - 15*minute, planned: 5 * minute, down: 10 * minute, outages: 1, longest: 10 * minute, restarts: "change 1"}},
		{"a change that went back", 4 * hour, with(4*hour,
			moved(3*hour, "stopping", CauseChange, "its spec changed"), moved(3*hour, "starting", "", ""), moved(3*hour, "running", "", ""),
			ended(3*hour-minute, "exit 2", false), ago(3*hour-minute, Event{Kind: RolledBack, ID: "api"}), moved(3*hour-minute, "backoff", "", "going back"),
			moved(3*hour-2*minute, "starting", "", ""), moved(3*hour-2*minute, "running", "", "")),
			want{up: 4*hour - minute, down: minute, outages: 1, longest: minute, restarts: "change 1, rollback 1"}},
		{"a failed probe", 4 * hour, with(4*hour, moved(3*hour, "stopping", CauseProbe, "liveness probe failed"), ended(3*hour-minute, "SIGTERM", false),
			moved(3*hour-minute, "backoff", "", ""), moved(3*hour-2*minute, "starting", "", ""), moved(3*hour-2*minute, "running", "", "")),
			want{up: 4*hour - 2*minute, down: 2 * minute, outages: 1, longest: 2 * minute, restarts: "probe 1"}},
		{"out of memory", 4 * hour, with(4*hour, ended(3*hour, "out of memory (limit 60MiB), ended by SIGKILL", false),
			moved(3*hour, "backoff", "", ""), moved(3*hour, "starting", "", ""), moved(3*hour, "running", "", "")),
			want{up: 4 * hour, outages: 1, restarts: "limit 1"}},
		{"not ready for a while", 4 * hour, with(4*hour, ago(4*hour-minute, Event{Kind: Healthy, ID: "api"}),
			ago(2*hour, Event{Kind: Unhealthy, ID: "api", Reason: "readiness"}), ago(hour, Event{Kind: Recovered, ID: "api"})),
			want{up: 3*hour - minute, down: hour, planned: minute, outages: 1, longest: hour}},
		{"crashed, and slow to be ready", 4 * hour, with(4*hour, ago(4*hour, Event{Kind: Healthy, ID: "api"}),
			moved(2*hour, "backoff", "", ""), moved(2*hour-minute, "starting", "", ""), moved(2*hour-minute, "running", "", ""), ago(2*hour-3*minute, Event{Kind: Healthy, ID: "api"})),
			want{up: 4*hour - 3*minute, down: 3 * minute, outages: 1, longest: 3 * minute, restarts: "exit 1"}},
		{"host stopped and started", 6 * hour, with(6*hour, ago(5*hour, Event{Kind: HostStopping}), moved(5*hour, "stopping", "", "the host is stopping"), moved(5*hour, "stopped", "", "the host is stopping"),
			ago(5*hour, Event{Kind: HostStopped}), ago(3*hour, Event{Kind: HostStarted}), moved(3*hour, "starting", "", ""), moved(3*hour-minute, "running", "", "")),
			want{up: 4*hour - minute, planned: minute, host: 2 * hour}},
		{"host crashed, seen alive later", 6 * hour, with(6*hour, ago(3*hour, Event{Kind: HostStarted, Details: map[string]string{DetailLastAlive: noon.Add(-4 * hour).Format(time.RFC3339)}}),
			moved(3*hour-minute, "starting", "", ""), moved(3*hour-2*minute, "running", "", "")),
			want{up: 5*hour - 2*minute, down: 2 * minute, host: hour, outages: 1, longest: 2 * minute}},
		{"host crashed, nothing known", 6 * hour, with(6*hour, ago(3*hour, Event{Kind: HostStarted}), moved(3*hour, "starting", "", ""), moved(3*hour, "running", "", "")),
			want{up: 3 * hour, host: 3 * hour, outages: 1}},
		{"gone while the host was down", 6 * hour, with(6*hour, ago(5*hour, Event{Kind: HostStopping}), moved(5*hour, "stopped", "", "the host is stopping"),
			ago(5*hour, Event{Kind: HostStopped}), ago(3*hour, Event{Kind: HostStarted})),
			want{up: hour, host: 2 * hour, unknown: 3 * hour}},
		{"outage from before the period", hour, with(6*hour, moved(2*hour, "backoff", "", ""), moved(30*minute, "starting", "", ""), moved(30*minute, "running", "", "")),
			want{up: 30 * minute, down: 30 * minute, outages: 1, longest: 30 * minute, restarts: "exit 1"}},
		{"waits for what it depends on", 4 * hour, []Event{ago(4*hour, Event{Kind: HostStarted}), moved(4*hour, "waiting", "", `waits for "db" to start`), moved(2*hour, "starting", "", ""), moved(2*hour, "running", "", "")},
			want{up: 2 * hour, planned: 5 * minute, down: 2*hour - 5*minute, outages: 1, longest: 2*hour - 5*minute}},
		{"a finished oneshot", 4 * hour, with(4*hour, ended(3*hour, "exit 0", true), moved(3*hour, "exited", "", "exit 0")), want{up: hour, planned: 3 * hour}},
		{"clock set back", 4 * hour, with(4*hour, moved(2*hour, "backoff", "", ""), moved(3*hour, "starting", "", ""), moved(3*hour, "running", "", "")),
			want{up: 4 * hour, outages: 1, restarts: "exit 1"}},
		{"a process beside it that came to nothing, and one that took over", 4 * hour, []Event{ago(4*hour, Event{Kind: HostStarted}), ago(4*hour, Event{Kind: StateChanged, ID: "api", To: "running", PID: 7}),
			ago(3*hour, Event{Kind: ProcessExited, ID: "api", PID: 8, Exit: &Exit{Text: "exit 3"}}), ago(3*hour, Event{Kind: RolledBack, ID: "api"}),
			ago(2*hour, Event{Kind: Rollout, ID: "api", PID: 9, Details: map[string]string{DetailCause: CauseChange}}),
			ago(2*hour, Event{Kind: ProcessExited, ID: "api", PID: 7, Exit: &Exit{Text: "ended by SIGTERM"}, Details: map[string]string{DetailSuccess: "true"}}),
			ago(hour, Event{Kind: ProcessExited, ID: "api", PID: 9, Exit: &Exit{Text: "exit 3"}}), moved(hour, "failed", "", "exit 3")},
			want{up: 3 * hour, down: hour, outages: 1, longest: hour, restarts: "change 1"}},
		{"a clock that was years ahead for a while", 4 * hour, with(4*hour, ago(-20*365*24*hour, Event{Kind: Warning, ID: "api"}), moved(-20*365*24*hour, "backoff", "", ""),
			moved(2*hour, "starting", "", ""), moved(2*hour, "running", "", "")),
			want{up: 2 * hour, unknown: 2 * hour, outages: 1, restarts: "exit 1"}},
		{"replaced by a process beside it", 4 * hour, with(4*hour, ago(hour, Event{Kind: Rollout, ID: "api", Details: map[string]string{DetailCause: CauseChange}})), want{up: 4 * hour, restarts: "change 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := reportOf(t, c.since, c.events...)
			if len(r.Services) != 1 {
				t.Fatalf("%+v", r)
			}
			s := r.Services[0]
			var by []string
			for _, reason := range []string{RestartExit, RestartProbe, RestartLimit, RestartChange, RestartOperator, RestartDependency, RestartRollback, RestartRetry} {
				if n := s.RestartsBy[reason]; n > 0 {
					by = append(by, fmt.Sprint(reason, " ", n))
				}
			}
			d := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
			got := want{d(s.UpSeconds), d(s.DownSeconds), d(s.PlannedSeconds), d(s.HostDownSeconds), d(s.UnknownSeconds), s.Outages, 0, strings.Join(by, ", ")}
			if s.LongestOutage != nil {
				got.longest = d(s.LongestOutage.Seconds)
			}
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if sum := got.up + got.down + got.planned + got.host + got.unknown; sum != c.since {
				t.Errorf("the parts are %v of %v", sum, c.since)
			}
			if s.Outages > 0 && *s.MTTRSeconds*float64(s.Outages) != s.DownSeconds {
				t.Errorf("MTTR %v of %v in %d outages", *s.MTTRSeconds, s.DownSeconds, s.Outages)
			}
		})
	}
}

// TestMidnightCostsNothing counts a span that two days share, and whose ends are no whole milliseconds.
func TestMidnightCostsNothing(t *testing.T) {
	from := time.Date(2026, 3, 1, 23, 59, 59, 999_999_999, time.UTC)
	l := newLedger()
	l.cut, l.from = from.Add(-hour), from.Add(-hour)
	l.add(Event{Seq: 1, Time: from, Kind: HostStarted})
	l.add(Event{Seq: 2, Time: from, Kind: StateChanged, Service: "api", Instance: 1, ID: "api", To: "running"})
	l.add(Event{Seq: 3, Time: from.Add(hour), Kind: StateChanged, Service: "api", Instance: 1, ID: "api", To: "failed"})
	r := l.report(ReportQuery{Since: l.cut, Until: from.Add(hour)})
	if len(r.Services) != 1 || r.Services[0].UpSeconds != hour.Seconds() || *r.Services[0].Availability != 100 {
		t.Errorf("%+v", r)
	}
}

func TestReportOfAJobCountsItsRuns(t *testing.T) {
	events := []Event{ago(hour, Event{Kind: HostStarted}), moved(hour, "waiting", "", "next run at 12:00")}
	for n := range 4 {
		at := 50*minute - time.Duration(n)*10*minute
		events = append(events, moved(at, "starting", "", "due"), moved(at, "running", "", ""), ended(at-minute, "x", n != 1), moved(at-minute, "waiting", "", "next run at 13:00"))
	}
	events = append(events, ago(minute, Event{Kind: Skipped, ID: "api"}))
	s := reportOf(t, hour, events...).Services[0]
	if s.Availability != nil || s.Runs != 4 || s.FailedRuns != 1 || s.SkippedRuns != 1 || s.Restarts != 0 || s.Outages != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAvailabilityIsOnlyWholeWhenNothingWasDown(t *testing.T) {
	if p := percent(1e9, 0.001); *p >= 100 {
		t.Errorf("%v", *p)
	}
	if p := percent(5, 0); *p != 100 {
		t.Errorf("%v", *p)
	}
	if percent(0, 0) != nil {
		t.Error("nothing is an availability of nothing")
	}
}

// What is folded into days, segment by segment, comes to what all events together come to.
func TestFoldedDaysAreWhatTheEventsWere(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentSize: 6000, Segments: 2})
	all := newLedger()
	at := noon.AddDate(0, 0, -20)
	states := []string{"starting", "running", "running", "stopping", "backoff", "failed", "stopped", "waiting"}
	for n := range 2000 {
		at = at.Add(time.Duration(rnd.IntN(1200)) * time.Second)
		id := string(rune('a' + rnd.IntN(3)))
		e := Event{Time: at, Kind: StateChanged, Service: id, Instance: 1, ID: id, To: states[rnd.IntN(len(states))], Reason: "because"}
		switch rnd.IntN(12) {
		case 0:
			e.Kind, e.Exit = ProcessExited, &Exit{Text: "exit 3"}
		case 1:
			e.Kind = []Kind{Healthy, Unhealthy, Recovered}[rnd.IntN(3)]
		case 2:
			if n%50 == 0 {
				e = Event{Time: at, Kind: []Kind{HostStarted, HostStopping, HostStopped}[rnd.IntN(3)]}
			}
		}
		all.add(j.Append(e))
		if n%10 == 0 {
			flush(t, j)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, ledgerPrefix+"*")); len(found) != 1 {
		t.Fatalf("ledgers: %v", found)
	}
	got, err := MakeReport(dir, ReportQuery{Until: at})
	if err != nil {
		t.Fatal(err)
	}
	want := all.report(ReportQuery{Until: at})
	got.Since, want.Since = time.Time{}, time.Time{}
	for n := range got.Services {
		got.Services[n].UnknownSeconds, want.Services[n].UnknownSeconds = 0, 0
	}
	a, _ := json.MarshalIndent(got, "", " ")
	b, _ := json.MarshalIndent(want, "", " ")
	if string(a) != string(b) {
		t.Errorf("from disk\n%s\nfrom the events\n%s", a, b)
	}

	// A shorter period begins with a whole day where only days are kept.
	since := noon.AddDate(0, 0, -10)
	short, err := MakeReport(dir, ReportQuery{Since: since, Until: at, Names: []string{"a"}})
	if err != nil || len(short.Services) != 1 || !short.Since.Equal(since.Truncate(24*time.Hour)) || short.KnownSince != nil {
		t.Errorf("%+v, %v", short, err)
	}
	whole := at.Sub(short.Since).Seconds()
	s := short.Services[0]
	if sum := s.UpSeconds + s.DownSeconds + s.PlannedSeconds + s.HostDownSeconds + s.UnknownSeconds; sum < whole-1 || sum > whole+1 {
		t.Errorf("the parts are %v of %v", sum, whole)
	}
}

// A ledger that a crash has torn is not taken: the one before is, and the segments that it was made of.
func TestTornLedgerIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentSize: 3000, Segments: 2})
	fill := func(n int) {
		for range n {
			j.Append(Event{Kind: StateChanged, Service: "a", Instance: 1, ID: "a", To: "running", Reason: strings.Repeat("x", 100)})
			flush(t, j)
		}
	}
	fill(100)
	found, _ := filepath.Glob(filepath.Join(dir, ledgerPrefix+"*"))
	if len(found) != 1 {
		t.Fatalf("ledgers: %v", found)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	n, _ := ledgerNumber(filepath.Base(found[0]))
	for cut := range data {
		if err := os.WriteFile(filepath.Join(dir, ledgerName(n+1)), data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		l, got, err := openLedger(root)
		root.Close()
		if err != nil || got != n || len(l.units) != 1 {
			t.Fatalf("cut at %d: ledger %d with %d units, %v", cut, got, len(l.units), err)
		}
	}
	fill(100)
	if found, _ := filepath.Glob(filepath.Join(dir, ledgerPrefix+"*")); len(found) != 1 {
		t.Errorf("ledgers: %v", found)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLedgerIsBounded(t *testing.T) {
	l := newLedger()
	for n := range 300 {
		at := noon.AddDate(0, 0, -200+n)
		l.add(Event{Seq: uint64(2*n + 1), Time: at, Kind: StateChanged, Service: "a", Instance: 1, ID: "a", To: "running"})
		l.add(Event{Seq: uint64(2*n + 2), Time: at.Add(hour), Kind: StateChanged, Service: fmt.Sprint("gone", n), Instance: 1, To: "running"})
		l.add(Event{Seq: uint64(2*n + 2), Time: at.Add(2 * hour), Kind: ServiceRemoved, Service: fmt.Sprint("gone", n), Instance: 1})
	}
	l.Last = noon.AddDate(0, 0, 100)
	l.forget(dayOf(l.Last.AddDate(0, 0, -ledgerDays)))
	if n := len(l.units["a.1"].Days); n > ledgerDays+1 || n < ledgerDays-2 {
		t.Errorf("%d days", n)
	}
	lines, err := l.lines()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	again, err := parseLedger(f)
	if err != nil || !reflect.DeepEqual(again.units, l.units) || again.Seq != l.Seq || !again.Last.Equal(l.Last) {
		t.Errorf("read back: %v, %d units of %d", err, len(again.units), len(l.units))
	}
}

func TestWhatWasNeverDownIsAvailable(t *testing.T) {
	for ms := range 5000 {
		if p := percent(seconds(int64(ms+1)), 0); *p != 100 {
			t.Fatalf("up for %d ms and never down is %v", ms+1, *p)
		}
	}
	if p := percent(1e9, 0.001); *p != 99.999 {
		t.Errorf("down for a moment is %v", *p)
	}
	if p := percent(0, 1); *p != 0 {
		t.Errorf("never up is %v", *p)
	}
	if percent(0, 0) != nil {
		t.Error("nothing is something")
	}
}
