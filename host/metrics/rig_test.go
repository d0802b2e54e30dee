package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/probe"
	"servicehost/host/process"
	"servicehost/host/usage"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// busy is an instance of which everything is known.
func busy(service string, number int) Instance {
	run := process.RunID{Service: service, Instance: number, Incarnation: 1}
	return Instance{
		Service: service, Number: number, ID: fmt.Sprintf("%s.%d", service, number), State: "running", Health: "healthy", Wanted: true, AsDesired: true,
		SpecState: "applied", StartedAt: began, MemoryLimit: 512 << 20,
		Probes: []probe.Status{
			{Probe: probe.Startup, Result: probe.Success, Rounds: 3, Failed: 2, Duration: 1500 * time.Microsecond},
			{Probe: probe.Readiness, Result: probe.Failure, Rounds: 7, Failed: 1, Duration: time.Second},
		},
		Log: logs.Stats{BytesWritten: 12345, LinesWritten: 321, LinesDropped: 4, BytesDropped: 400, LinesLimited: 5, BytesLimited: 500, LinesCut: 6, Dropping: "disk full"},
		Usage: usage.Sample{ID: service, Run: run, At: began, Usage: process.Usage{
			CPU: 1234567 * time.Microsecond, Memory: 64 << 20, Processes: 3, Threads: 17, Resident: 65 << 20, Private: 60 << 20, Handles: 44, ReadBytes: 1 << 30, WriteBytes: 2 << 30,
		}},
	}
}

// all is a reading in which every family has samples.
func all() Reading {
	job := Instance{Service: "cleanup", Number: 1, ID: "cleanup", Job: true, State: "waiting", Health: "unknown", Wanted: true, AsDesired: true, SpecState: "applied",
		NextStart: began.Add(time.Hour), LastRun: Run{Success: true, EndedAt: began, Duration: 90 * time.Second}}
	return Reading{
		Name: `orders "01"` + "\n\\", Spec: Spec{State: "rejected", Problems: 2, AppliedAt: began.Add(1500 * time.Millisecond)},
		Logs:      logs.SetStats{RotatedBytes: 1 << 40, EvictedFiles: 2, EvictedBytes: 3},
		Targets:   []Target{{Name: "loki1", Type: "loki", Up: true, SentRecords: 1, SentBytes: 2, DroppedRecords: 3, DroppedBytes: 4, WaitingRecords: 5, SpooledBytes: 6}},
		Notifiers: []Notifier{{Name: "ops", Kind: "webhook", Sent: 7, Failed: 8, Waiting: 9}},
		Instances: []Instance{busy("api", 1), busy("api", 2), job},
	}
}

// full is a collector of all, with something counted.
func full() *Collector {
	c := New(Options{Read: func(r *Reading, _ bool) { *r = all() }, Version: "1.2.3", Started: began})
	c.self = func() self {
		return self{cpu: time.Second, resident: 1, handles: 2, threads: 3, goroutines: 4, heap: 5}
	}
	feed(c, "api", 1, "stopped>starting", "starting>running", "exit 3", "running>backoff", "backoff>starting")
	c.Observe(journal.Event{Kind: journal.ReloadRejected})
	return c
}

// feed observes what happens to an instance: "from>to", optionally with the cause of a stop behind a blank, "exit
// code [signal]", or the kind of an event with its reason.
func feed(c *Collector, service string, number int, happens ...string) {
	for _, what := range happens {
		e := journal.Event{Service: service, Instance: number, ID: service, Time: began}
		word, rest, _ := strings.Cut(what, " ")
		from, to, moves := strings.Cut(word, ">")
		switch {
		case moves:
			e.Kind, e.From, e.To = journal.StateChanged, from, to
			if rest != "" {
				e.Details = map[string]string{journal.DetailCause: rest}
			}
		case word == "exit":
			e.Kind, e.Exit = journal.ProcessExited, &journal.Exit{}
			fmt.Sscan(rest, &e.Exit.Code, &e.Exit.Signal)
		case word == "switch":
			e.Kind, e.Details = journal.Rollout, map[string]string{journal.DetailCause: rest}
		default:
			e.Kind = journal.Kind(word)
			e.Reason, e.Actor, _ = strings.Cut(rest, " by ")
		}
		c.Observe(e)
	}
}

// text is what c tells in the format of text.
func text(t testing.TB, c *Collector) string {
	t.Helper()
	var b strings.Builder
	if err := c.Write(&b, ""); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// parsed reads text by the parser of client_golang.
func parsed(t testing.TB, text string) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	out, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return out
}

// series are the samples of a family: labels as they are written, and the value.
func series(t testing.TB, text, name string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(text) {
		sample, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "} ")
		if got, labels, ok := strings.Cut(sample, "{"); ok && got == name {
			out[labels] = value
		}
	}
	return out
}
