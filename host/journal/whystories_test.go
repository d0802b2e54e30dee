package journal

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The stories are what hosts wrote in the end-to-end tests, with rounder times.
func TestWhySaysTheRightSentence(t *testing.T) {
	until := noon.Add(2 * time.Hour)
	up := ago(time.Hour, Event{Kind: HostStarted, Reason: "version 1"})
	hostLine := "1h ago: the host started: version 1"
	state := func(d time.Duration, id, to, reason string) Event {
		return ago(d, Event{Kind: StateChanged, ID: id, To: to, Reason: reason})
	}
	running := func(d time.Duration, id string, pid int) Event {
		return ago(d, Event{Kind: StateChanged, ID: id, To: "running", PID: pid})
	}
	exited := func(d time.Duration, id string, pid int, x Exit, last string) Event {
		e := ago(d, Event{Kind: ProcessExited, ID: id, PID: pid, Reason: x.Text, Exit: &x})
		if last != "" {
			e.Details = map[string]string{LastLines: last}
		}
		return e
	}
	commit := map[string]string{DetailFile: "/srv/services.yaml", DetailOwner: "root", DetailCommit: "f90d780", DetailSubject: "use the new option", DetailAuthor: "Li Wei"}
	for _, c := range []struct {
		name    string
		events  []Event
		reasons map[string]string
		want    []string
	}{
		{"out of memory, ended by the system", []Event{up, running(time.Minute, "api", 7),
			ago(12*time.Second, Event{Kind: LimitHit, ID: "api", Reason: "memory limit 60MiB reached, the system ended a process for it"}),
			exited(12*time.Second, "api", 7, Exit{Signal: "SIGKILL", Text: "out of memory (limit 60MiB), ended by SIGKILL after 48s", Uptime: 48 * time.Second, PeakMemory: 60 << 20}, ""),
			state(12*time.Second, "api", "backoff", "out of memory (limit 60MiB), ended by SIGKILL after 48s, next try in 15s"),
		}, nil, []string{
			"backoff for 12s: out of memory (limit 60MiB), ended by SIGKILL after 48s, next try in 3s",
			"12s ago: the system ended it (process 7): out of memory (limit 60MiB), ended by SIGKILL after 48s, having used 60MiB at most", hostLine,
		}},
		{"over its memory, ended by the host", []Event{up, running(time.Minute, "api", 7),
			ago(12*time.Second, Event{Kind: LimitHit, ID: "api", Reason: "memory limit 60MiB reached"}),
			state(11*time.Second, "api", "stopping", "memory limit 60MiB reached"),
			exited(10*time.Second, "api", 7, Exit{Signal: "SIGTERM", Text: "out of memory (limit 60MiB), ended by SIGTERM after 50s", Uptime: 50 * time.Second}, "allocating"),
			running(9*time.Second, "api", 8),
		}, nil, []string{
			"running for 9s (process 8)",
			`10s ago: memory limit 60MiB reached; so the host ended it (process 7) after 50s: out of memory (limit 60MiB), ended by SIGTERM; its last line: "allocating"`, hostLine,
		}},
		{"does not live, nor end when told, again and again", []Event{up,
			state(40*time.Second, "api", "stopping", "liveness probe failed: x"), ago(35*time.Second, Event{Kind: Killed, ID: "api", PID: 7, Reason: "still running"}),
			exited(35*time.Second, "api", 7, Exit{Signal: "SIGKILL", Text: "ended by SIGKILL after 58s", Uptime: 58 * time.Second}, ""), running(34*time.Second, "api", 8),
			state(20*time.Second, "api", "stopping", "liveness probe failed: x"), ago(15*time.Second, Event{Kind: Killed, ID: "api", PID: 8, Reason: "still running"}),
			exited(15*time.Second, "api", 8, Exit{Signal: "SIGKILL", Text: "ended by SIGKILL after 19s", Uptime: 19 * time.Second}, ""), running(14*time.Second, "api", 9),
		}, nil, []string{"running for 14s (process 9)", "15s ago: liveness probe failed: x; so the host ended it (process 8) after 19s: ended by SIGKILL, it had to be killed",
			"before that once the same: liveness probe failed: x, since 35s ago", hostLine}},
		{"replaced by a process beside it", []Event{up, running(time.Minute, "api", 7),
			ago(30*time.Second, Event{Kind: SpecChanged, ID: "api", Reason: "command"}),
			exited(29*time.Second, "api", 8, Exit{Code: 3, Text: "exit 3 after 1s", Uptime: time.Second}, "no such option"),
			ago(29*time.Second, Event{Kind: RolledBack, ID: "api", Reason: "it ended with its new spec: exit 3 after 1s"}),
			ago(20*time.Second, Event{Kind: OperatorAction, ID: "api", Reason: "restart", Actor: "root"}),
			ago(15*time.Second, Event{Kind: Rollout, ID: "api", PID: 9, Reason: "process 9 takes over from process 7, which is stopped now", Details: map[string]string{DetailCause: CauseAsked}}),
			func() Event {
				e := exited(14*time.Second, "api", 7, Exit{Signal: "SIGTERM", Text: "ended by SIGTERM after 46s", Uptime: 46 * time.Second}, "")
				e.Details = map[string]string{DetailSuccess: "true"}
				return e
			}(),
		}, nil, []string{"running for 1m (process 9)", "15s ago: process 9 takes over from process 7, which is stopped now", "20s ago: root restarted it"}},
		{"a process beside it that came to nothing", []Event{up, running(time.Minute, "api", 7),
			ago(30*time.Second, Event{Kind: SpecChanged, ID: "api", Reason: "command"}),
			exited(29*time.Second, "api", 8, Exit{Code: 3, Text: "exit 3 after 1s", Uptime: time.Second}, "no such option"),
			ago(29*time.Second, Event{Kind: RolledBack, ID: "api", Reason: "it ended with its new spec: exit 3 after 1s"}),
		}, nil, []string{"running for 1m (process 7)", "29s ago: it went back to the spec that worked before: it ended with its new spec: exit 3 after 1s",
			`29s ago: the process beside it ended (process 8): exit 3 after 1s; its last line: "no such option"`, "30s ago: its spec changed: command", hostLine}},
		{"crash with a signal", []Event{up, running(time.Minute, "api", 7),
			exited(2*time.Second, "api", 7, Exit{Signal: "SIGSEGV", Text: "ended by SIGSEGV (core dumped) after 58s", Uptime: 58 * time.Second}, ""),
			state(2*time.Second, "api", "backoff", "ended by SIGSEGV (core dumped) after 58s, next try in 1s"),
		}, nil, []string{"backoff for 2s: ended by SIGSEGV (core dumped) after 58s, next try due", "2s ago: it crashed (process 7): ended by SIGSEGV (core dumped) after 58s", hostLine}},
		{"crash on Windows", []Event{up, running(time.Minute, "api", 7),
			exited(2*time.Second, "api", 7, Exit{Code: 0xC0000005, Status: "STATUS_ACCESS_VIOLATION", Text: "exit 0xC0000005 (STATUS_ACCESS_VIOLATION: it used memory that is not its own) after 58s", Uptime: 58 * time.Second}, ""),
			running(time.Second, "api", 8),
		}, nil, []string{"running for 1s (process 8)", "2s ago: it crashed (process 7): exit 0xC0000005 (STATUS_ACCESS_VIOLATION: it used memory that is not its own) after 58s", hostLine}},
		{"not ready any more", []Event{up, running(time.Minute, "api", 7),
			ago(59*time.Second, Event{Kind: Healthy, ID: "api", Reason: "ready 1s after its start"}),
			ago(9*time.Second, Event{Kind: Unhealthy, ID: "api", Reason: "readiness probe failed: connection refused"}),
		}, nil, []string{"running for 1m (process 7); not ready for 9s: readiness probe failed: connection refused", hostLine}},
		{"ready again, and again", []Event{up, running(time.Minute, "api", 7),
			ago(30*time.Second, Event{Kind: Unhealthy, ID: "api", Reason: "readiness probe failed: x"}),
			ago(29*time.Second, Event{Kind: Recovered, ID: "api", Reason: "ready again after 1s"}),
			ago(20*time.Second, Event{Kind: Unhealthy, ID: "api", Reason: "readiness probe failed: x"}),
			ago(18*time.Second, Event{Kind: Recovered, ID: "api", Reason: "ready again after 2s"}),
		}, nil, []string{"running for 1m (process 7)", "18s ago: ready again after 2s", "before that once the same: ready again, since 29s ago", hostLine}},
		{"a bad commit that was rolled back", []Event{up, running(time.Minute, "api", 7),
			ago(9*time.Second, Event{Kind: SpecChanged, ID: "api", Reason: "command"}),
			ago(9*time.Second, Event{Kind: ReloadApplied, Actor: "the file changed", Reason: "restart api", Details: commit}),
			state(9*time.Second, "api", "stopping", "its spec changed"),
			exited(9*time.Second, "api", 7, Exit{Signal: "SIGTERM", Text: "ended by SIGTERM after 51s", Uptime: 51 * time.Second}, ""),
			running(9*time.Second, "api", 8),
			exited(8*time.Second, "api", 8, Exit{Code: 2, Text: "exit 2 after 1s", Uptime: time.Second}, "reading options\nno such option"),
			ago(8*time.Second, Event{Kind: RolledBack, ID: "api", Reason: "it ended with its new spec: exit 2 after 1s", Details: commit}),
			state(8*time.Second, "api", "backoff", "going back to the spec that worked: exit 2 after 1s"),
			running(8*time.Second, "api", 9),
		}, nil, []string{
			"running for 8s (process 9)", "8s ago: it went back to the spec that worked before: it ended with its new spec: exit 2 after 1s",
			`8s ago: it ended by itself (process 8): exit 2 after 1s; its last line: "no such option"`,
			"9s ago: its spec changed: command",
			`9s ago: reload: commit f90d780 "use the new option" by Li Wei (services.yaml of root): restart api`,
		}},
		{"stopped by an operator", []Event{up, running(time.Minute, "api", 7),
			ago(9*time.Second, Event{Kind: OperatorAction, ID: "api", Reason: "stop", Actor: `ops\li`, Details: map[string]string{DetailUntil: until.Format(time.RFC3339)}}),
			state(9*time.Second, "api", "stopping", `stopped by ops\li`),
			ago(8*time.Second, Event{Kind: Killed, ID: "api", PID: 7, Reason: "still running 1s after the stop began"}),
			exited(8*time.Second, "api", 7, Exit{Signal: "SIGKILL", Text: "ended by SIGKILL after 52s", Uptime: 52 * time.Second}, ""),
			state(8*time.Second, "api", "stopped", `stopped by ops\li`),
		}, nil, []string{`stopped for 8s: stopped by ops\li`, "8s ago: killed (process 7): still running 1s after the stop began", `9s ago: ops\li stopped it, until ` + until.Local().Format("2006-01-02 15:04")}},
		{"restarted with its dependency", []Event{up, running(time.Minute, "db", 5), running(time.Minute, "api", 7),
			exited(9*time.Second, "db", 5, Exit{Code: 1, Text: "exit 1 after 51s", Uptime: 51 * time.Second}, "disk full"),
			state(9*time.Second, "db", "backoff", `exit 1 after 51s, next try in 1s: "disk full"`), running(8*time.Second, "db", 6),
			state(8*time.Second, "api", "stopping", `restart asked for by its dependency "db", which was restarted`),
			exited(8*time.Second, "api", 7, Exit{Signal: "SIGTERM", Text: "ended by SIGTERM after 52s", Uptime: 52 * time.Second}, ""),
			running(7*time.Second, "api", 8),
			exited(2*time.Second, "db", 6, Exit{Code: 2, Text: "exit 2 after 6s", Uptime: 6 * time.Second}, "later"), // no cause of it
		}, nil, []string{
			"running for 7s (process 8)", `8s ago: restarted, as "db", which it depends on, was restarted`,
			`  db: 9s ago: it ended by itself (process 5): exit 1 after 51s; its last line: "disk full"`, "  db: " + hostLine,
		}},
		{"waits for a dependency that failed", []Event{up, state(time.Hour, "api", "waiting", `waits for "db" to start`),
			exited(time.Minute, "db", 5, Exit{Code: 4, Text: "exit 4 after 1s", Uptime: time.Second}, ""),
			ago(time.Minute, Event{Kind: Failed, ID: "db", Reason: "exit 4 after 1s, not restarted (restart: no)"}),
			state(time.Minute, "db", "failed", "exit 4 after 1s, not restarted (restart: no)"),
		}, map[string]string{"api": `waits for "db" to start, which is in state failed: exit 4`}, []string{
			`waiting for 1h: waits for "db" to start, which is in state failed: exit 4`,
			"  db: failed for 1m: exit 4 after 1s, not restarted (restart: no)", "  db: 1m ago: it ended by itself (process 5): exit 4 after 1s", "  db: " + hostLine,
			hostLine,
		}},
		{"failed with its dependency's dependency", []Event{up,
			state(time.Minute, "a", "failed", "exit 4 after 1s"),
			state(time.Minute, "b", "failed", `its dependency "a" failed: exit 4 after 1s`),
			ago(time.Minute, Event{Kind: Failed, ID: "api", Reason: `its dependency "b" failed: its dependency "a" failed: exit 4 after 1s`}),
			state(time.Minute, "api", "failed", `its dependency "b" failed: its dependency "a" failed: exit 4 after 1s`),
		}, nil, []string{
			`failed for 1m: its dependency "b" failed: its dependency "a" failed: exit 4 after 1s`,
			`  b: failed for 1m: its dependency "a" failed: exit 4 after 1s`, "    a: failed for 1m: exit 4 after 1s", "    a: " + hostLine, "  b: " + hostLine,
			"  a: failed for 1m: exit 4 after 1s", "  a: " + hostLine, hostLine,
		}},
		{"requires unmet", []Event{up, state(time.Minute, "api", "waiting", "looks for what it requires"),
			ago(time.Minute, Event{Kind: Warning, ID: "api", Reason: `service "api" waits, it requires: file "x.toml" is not there`}),
		}, map[string]string{"api": `requires: file "x.toml" is not there`}, []string{`waiting for 1m: requires: file "x.toml" is not there`, hostLine}},
		{"requires unmet, from disk", []Event{up, state(time.Minute, "api", "waiting", "looks for what it requires"),
			ago(time.Minute, Event{Kind: Warning, ID: "api", Reason: `service "api" waits, it requires: file "x.toml" is not there`}),
		}, nil, []string{"waiting for 1m: looks for what it requires", `1m ago: service "api" waits, it requires: file "x.toml" is not there`, hostLine}},
		{"runs of a schedule left out", []Event{up, running(time.Minute, "api", 7),
			ago(40*time.Second, Event{Kind: Skipped, ID: "api", Reason: "the run of 11:59:20 is left out: the former one is not over"}),
			ago(20*time.Second, Event{Kind: Skipped, ID: "api", Reason: "the run of 11:59:40 is left out: the former one is not over"}),
		}, nil, []string{"running for 1m (process 7)", "20s ago: the run of 11:59:40 is left out: the former one is not over",
			"before that once the same: a run was left out, since 40s ago", hostLine}},
		{"restarted by a threshold", []Event{up, running(time.Minute, "api", 7),
			ago(9*time.Second, Event{Kind: Threshold, ID: "api", Reason: "memory 412MiB is above 400MiB, 3 samples in a row", Details: map[string]string{DetailMeasure: "memory"}}),
			state(9*time.Second, "api", "stopping", "threshold crossed: memory 412MiB is above 400MiB, 3 samples in a row"),
			exited(8*time.Second, "api", 7, Exit{Signal: "SIGTERM", Text: "ended by SIGTERM after 52s", Uptime: 52 * time.Second}, ""),
			running(8*time.Second, "api", 8),
		}, nil, []string{"running for 8s (process 8)", "8s ago: threshold crossed: memory 412MiB is above 400MiB, 3 samples in a row; so the host ended it (process 7) after 52s: ended by SIGTERM", hostLine}},
		{"over a threshold", []Event{up, running(time.Minute, "api", 7),
			ago(9*time.Second, Event{Kind: Threshold, ID: "api", Reason: "memory 412MiB is above 400MiB", Details: map[string]string{DetailMeasure: "memory"}}),
		}, nil, []string{"running for 1m (process 7)", "9s ago: it crossed a threshold: memory 412MiB is above 400MiB", hostLine}},
		{"stopped with its host", []Event{up, running(time.Minute, "api", 7), ago(9*time.Second, Event{Kind: HostStopping, Reason: "asked to stop by root"}),
			state(9*time.Second, "api", "stopping", "the host is stopping"), exited(8*time.Second, "api", 7, Exit{Text: "exit 0"}, ""),
			state(8*time.Second, "api", "stopped", "the host is stopping"), ago(8*time.Second, Event{Kind: HostStopped}),
		}, nil, []string{"stopped for 8s: the host is stopping", "9s ago: the host began to stop: asked to stop by root"}},
		{"upgraded host", []Event{ago(2*time.Hour, Event{Kind: HostStarted}), ago(61*time.Minute, Event{Kind: HostStopping}), ago(61*time.Minute, Event{Kind: HostStopped}), up,
			ago(time.Hour, Event{Kind: Upgraded, Reason: "from 1.0 to 1.1"}), running(time.Hour, "api", 7)},
			nil, []string{"running for 1h (process 7)", "1h ago: the host started, upgraded: from 1.0 to 1.1"}},
		{"host that crashed", []Event{ago(2*time.Hour, Event{Kind: HostStarted}), running(2*time.Hour, "api", 6), up, running(time.Hour, "api", 7)},
			nil, []string{"running for 1h (process 7)", hostLine + "; the former one had crashed or was killed"}},
		{"too many restarts at once", []Event{up, exited(3*time.Second, "api", 7, Exit{Code: 3, Text: "exit 3 after 1s", Uptime: time.Second}, ""),
			state(3*time.Second, "api", "backoff", "exit 3 after 1s, next try in 1s"),
			state(2*time.Second, "api", "waiting", "too many restarts on this host at once: its turn comes in 9s"),
		}, nil, []string{"waiting for 2s: too many restarts on this host at once: its turn comes in 7s", "3s ago: it ended by itself (process 7): exit 3 after 1s", hostLine}},
		{"paused host", []Event{up, exited(30*time.Second, "api", 7, Exit{Code: 3, Text: "exit 3 after 1s", Uptime: time.Second}, ""),
			state(30*time.Second, "api", "backoff", "exit 3 after 1s, next try in 1m"),
			ago(20*time.Second, Event{Kind: OperatorAction, Reason: "pause", Actor: "root"}),
		}, map[string]string{"api": "exit 3 after 1s, next try after host resume"}, []string{
			"backoff for 30s: exit 3 after 1s, next try after host resume", "20s ago: the host was paused by root; nothing is started again until host resume",
			"30s ago: it ended by itself (process 7): exit 3 after 1s", hostLine}},
	} {
		t.Run(c.name, func(t *testing.T) {
			slices.SortStableFunc(c.events, func(a, b Event) int { return a.Time.Compare(b.Time) })
			if got := Explain(c.events, "api", noon, c.reasons); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// Two that wait for each other, in a spec that no host accepts, do not go round in circles.
func TestWhyEndsInACircle(t *testing.T) {
	events := []Event{
		ago(time.Minute, Event{Kind: StateChanged, ID: "a", To: "waiting", Reason: `waits for "b" to start`}),
		ago(time.Minute, Event{Kind: StateChanged, ID: "b", To: "waiting", Reason: `waits for "a" to start`}),
	}
	if got := WhyAt(events, "a", noon); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}
