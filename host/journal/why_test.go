package journal

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration, e Event) Event {
	e.Time = noon.Add(-d)
	if e.ID != "" && e.Service == "" {
		e.Service = e.ID
	}
	return e
}

func TestWhyTellsTheChainOfCauses(t *testing.T) {
	exit := &Exit{Code: 3, Text: "exit 3", Uptime: 1200 * time.Millisecond}
	for _, c := range []struct {
		name   string
		events []Event
		want   []string
	}{
		{"nothing known", []Event{ago(time.Hour, Event{Kind: HostStarted}), ago(time.Minute, Event{Kind: Started, ID: "api"})}, nil},
		{"crash loop", []Event{
			ago(10*time.Minute, Event{Kind: OperatorAction, ID: "worker", Actor: `ops\li.wei`, Reason: "start"}),
			ago(9*time.Minute, Event{Kind: Started, ID: "worker", PID: 4709}),
			ago(9*time.Minute, Event{Kind: ProcessExited, ID: "worker", PID: 4709, Exit: exit}),
			ago(5*time.Minute, Event{Kind: Started, ID: "worker", PID: 4710}),
			ago(5*time.Minute, Event{Kind: ProcessExited, ID: "worker", PID: 4710, Exit: exit}),
			ago(20*time.Second, Event{Kind: Started, ID: "api", PID: 1}),
			ago(14*time.Second, Event{Kind: Started, ID: "worker", PID: 4711}),
			ago(12*time.Second, Event{Kind: ProcessExited, ID: "worker", PID: 4711, Exit: exit, Details: map[string]string{LastLines: "opening\ncannot open db\n"}}),
			ago(12*time.Second, Event{Kind: StateChanged, ID: "worker", From: "running", To: "backoff", Reason: "exit 3 after 1.2s, next try in 8s"}),
		}, []string{
			"backoff for 12s: exit 3 after 1.2s, next try due",
			`12s ago: it ended by itself (process 4711): exit 3 after 1.2s; its last line: "cannot open db"`,
			"before that 2 times the same: exit 3, since 9m ago",
			`10m ago: ops\li.wei started it`,
		}},
		{"failure of the same reason", []Event{
			ago(time.Hour, Event{Kind: HostStarted}),
			ago(5*time.Minute, Event{Kind: ProcessExited, ID: "worker", PID: 4710, Exit: exit}),
			ago(5*time.Minute, Event{Kind: Failed, ID: "worker", Reason: "crash loop"}),
			ago(5*time.Minute, Event{Kind: StateChanged, ID: "worker", To: "failed", Reason: "crash loop"}),
		}, []string{"failed for 5m: crash loop", "5m ago: it ended by itself (process 4710): exit 3 after 1.2s", "1h ago: the host started"}},
		{"signals that changed nothing", []Event{
			ago(time.Hour, Event{Kind: HostStarted}),
			ago(9*time.Minute, Event{Kind: OperatorAction, ID: "worker", Actor: "root", Reason: "signal HUP"}),
			ago(5*time.Minute, Event{Kind: ProcessExited, ID: "worker", PID: 4710, Exit: exit}),
			ago(5*time.Minute, Event{Kind: StateChanged, ID: "worker", To: "failed", Reason: "crash loop"}),
			ago(time.Minute, Event{Kind: OperatorAction, ID: "worker", Actor: "root", Reason: "signal HUP"}),
		}, []string{"failed for 5m: crash loop", "5m ago: it ended by itself (process 4710): exit 3 after 1.2s", "1h ago: the host started"}},
		{"signal that ended it", []Event{
			ago(time.Hour, Event{Kind: HostStarted}),
			ago(5*time.Minute, Event{Kind: OperatorAction, ID: "worker", Actor: "root", Reason: "signal KILL"}),
			ago(5*time.Minute, Event{Kind: ProcessExited, ID: "worker", PID: 4710, Exit: exit}),
			ago(5*time.Minute, Event{Kind: StateChanged, ID: "worker", To: "failed"}),
		}, []string{"failed for 5m", "5m ago: it ended by itself (process 4710): exit 3 after 1.2s", "5m ago: root sent it the signal KILL", "1h ago: the host started"}},
		{"ended by the host for its probe, twice", []Event{
			ago(time.Hour, Event{Kind: HostStarted}),
			ago(3*time.Minute, Event{Kind: StateChanged, ID: "worker", To: "stopping", Reason: "liveness probe failed: tcp"}),
			ago(3*time.Minute, Event{Kind: ProcessExited, ID: "worker", PID: 6, Exit: exit}),
			ago(62*time.Second, Event{Kind: StateChanged, ID: "worker", To: "stopping", Reason: "liveness probe failed: tcp"}),
			ago(61*time.Second, Event{Kind: ProcessExited, ID: "worker", PID: 7, Exit: exit}),
			ago(time.Minute, Event{Kind: StateChanged, ID: "worker", To: "running"}),
		}, []string{
			"running for 1m", "1m1s ago: liveness probe failed: tcp; so the host ended it (process 7) after 1.2s: exit 3",
			"before that once the same: liveness probe failed: tcp, since 3m ago", "1h ago: the host started",
		}},
		{"changed spec", []Event{
			ago(time.Hour, Event{Kind: HostStarted}),
			ago(190*time.Second, Event{Kind: SpecChanged, ID: "worker", Reason: "command"}),
			ago(185*time.Second, Event{Kind: Started, ID: "worker", PID: 7}),
			ago(185*time.Second, Event{Kind: StateChanged, ID: "worker", To: "running"}),
			ago(180*time.Second, Event{Kind: ReloadApplied, Actor: "the file changed", Reason: "commit 1f2e3d"}),
			ago(90*time.Second, Event{Kind: ReloadApplied, Reason: "a later one"}),
		}, []string{
			"running for 3m5s", "3m10s ago: its spec changed: command", "3m ago: reload (the file changed): commit 1f2e3d",
		}},
		{"reload told of before its steps", []Event{
			ago(time.Hour, Event{Kind: ReloadApplied, Reason: "an earlier one"}),
			ago(62*time.Second, Event{Kind: ReloadApplied, Actor: "root", Reason: "confirmed"}),
			ago(61*time.Second, Event{Kind: SpecChanged, ID: "worker", Reason: "env.A"}),
			ago(60*time.Second, Event{Kind: StateChanged, ID: "worker", To: "stopping", Reason: "its spec changed"}),
			ago(time.Second, Event{Kind: ReloadApplied, Reason: "a later one"}),
		}, []string{"stopping for 1m: its spec changed", "1m1s ago: its spec changed: env.A", "1m2s ago: reload (root): confirmed"}},
		{"never started", []Event{
			ago(time.Minute, Event{Kind: HostStarted}),
			ago(time.Minute, Event{Kind: ServiceAdded, ID: "worker"}),
			ago(40*time.Second, Event{Kind: StartFailed, ID: "worker", Reason: `cannot start: executable "x" not found`}),
			ago(30*time.Second, Event{Kind: StartFailed, ID: "worker", Reason: `cannot start: executable "x" not found`}),
			ago(30*time.Second, Event{Kind: StateChanged, ID: "worker", To: "failed", Reason: "crash loop"}),
		}, []string{
			"failed for 30s: crash loop", `30s ago: cannot start: executable "x" not found`,
			`before that once the same: cannot start: executable "x" not found, since 40s ago`,
			"1m ago: added to the spec", "1m ago: the host started",
		}},
		{"started with the host", []Event{
			ago(2*time.Hour, Event{Kind: ProcessExited, ID: "worker", Exit: exit}),
			ago(time.Hour, Event{Kind: HostStarted, Reason: "last good spec"}),
			ago(time.Hour, Event{Kind: Started, ID: "worker", PID: 7}),
			ago(time.Hour, Event{Kind: StateChanged, ID: "worker", To: "running"}),
		}, []string{"running for 1h", "1h ago: the host started: last good spec"}},
		{"whole service by an operator", []Event{
			ago(time.Minute, Event{Kind: OperatorAction, Service: "worker", Actor: "root", Reason: "stop"}),
			ago(time.Minute, Event{Kind: StateChanged, ID: "worker", To: "stopped"}),
		}, []string{"stopped for 1m", "1m ago: root stopped it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := WhyAt(c.events, "worker", noon); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestWhyIsBounded(t *testing.T) {
	var events []Event
	for i := range 100 {
		events = append(events, ago(time.Duration(100-i)*time.Minute, Event{Kind: Warning, ID: "worker", Reason: "odd"}))
	}
	if n := len(WhyAt(events, "worker", noon)); n > whyMost+1 {
		t.Errorf("%d lines", n)
	}
}
