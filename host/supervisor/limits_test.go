package supervisor

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

func limitedTo(memory int64, action spec.LimitAction) func(*spec.Service) {
	return func(s *spec.Service) { s.Limits = spec.Limits{Memory: memory, Processes: 64, Action: action} }
}

// reasons are those of the events of a kind of id.
func (r *rig) reasons(id string, k journal.Kind) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.ID == id && e.Kind == k {
			out = append(out, e.Reason)
		}
	}
	return out
}

func TestRequestCarriesWhatLimitsTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", func(s *spec.Service) {
			s.Limits = spec.Limits{Memory: 512 << 20, CPU: 150, Processes: 64, OpenFiles: 4096, Action: spec.LimitRestart}
			s.Priority, s.Affinity = 10, []int{0, 2}
			s.AllowBreakaway, s.ErrorReporting, s.RestrictedToken = true, true, true
		}))
		req := fake.Request(fake.Living()["api.1"])
		got := process.Request{Limits: req.Limits, Nice: req.Nice, Affinity: req.Affinity, AllowBreakaway: req.AllowBreakaway,
			ErrorDialogs: req.ErrorDialogs, RestrictedToken: req.RestrictedToken}
		want := process.Request{Limits: process.Limits{Memory: 512 << 20, CPU: 150, Processes: 64, OpenFiles: 4096}, Nice: 10, Affinity: []int{0, 2},
			AllowBreakaway: true, ErrorDialogs: true, RestrictedToken: true}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("request %+v, want %+v", got, want)
		}
	})
}

func TestRunThatLivesOnOverItsMemoryIsRestarted(t *testing.T) {
	for name, killed := range map[string]bool{"refused": false, "a worker killed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := processtest.New()
				r := newRig(t, fake, nil)
				r.apply(service("api", limitedTo(512<<20, spec.LimitRestart)))
				settle(20 * time.Second) // its spec is proven
				first := fake.Living()["api.1"]
				fake.Hit(first, "memory", killed)
				settle(limitGrace / 2)
				r.want("api", Running) // it may end by itself
				settle(limitGrace)
				p := r.want("api", Backoff)
				if !strings.Contains(p.Reason, "out of memory (limit 512MiB) after 21s, next try in") {
					t.Errorf("reason %q", p.Reason)
				}
				settle(2 * time.Second)
				p = r.want("api", Running)
				if fake.Living()["api.1"] == first || p.Restarts != 1 {
					t.Errorf("run %v after %v, %d restarts", fake.Living()["api.1"], first, p.Restarts)
				}
				want := []string{"starting", "running", "stopping", "backoff", "starting", "running"}
				if got := r.states("api"); !slices.Equal(got, want) {
					t.Errorf("went through %v", got)
				}
				if got := r.reasons("api", journal.LimitHit); len(got) != 1 || !strings.HasPrefix(got[0], "memory limit 512MiB reached") ||
					strings.Contains(got[0], "the system ended a process") != killed {
					t.Errorf("events %q", got)
				}
				r.mu.Lock()
				lines := journal.Why(r.events, "api")
				r.mu.Unlock()
				if all := strings.Join(lines, "\n"); !strings.Contains(all, "memory limit 512MiB reached") || !strings.Contains(all, "out of memory (limit 512MiB)") {
					t.Errorf("why says:\n%s", all)
				}
			})
		})
	}
}

func TestMemoryLimitThatIsReachedAgainAndAgainIsACrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", limitedTo(1<<20, spec.LimitRestart), func(s *spec.Service) { s.Restart.Limit, s.Restart.MaxDelay = 2, time.Second }))
		settle(20 * time.Second)
		for range 3 {
			fake.Hit(fake.Living()["api.1"], "memory", false)
			settle(5 * time.Second)
		}
		if p := r.want("api", Failed); !strings.Contains(p.Reason, "crash loop") || !strings.Contains(p.Reason, "out of memory") {
			t.Errorf("reason %q", p.Reason)
		}
	})
}

func TestLoggedLimitLeavesTheRunAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", limitedTo(512<<20, spec.LimitLog)))
		id := fake.Living()["api.1"]
		fake.Hit(id, "memory", false)
		fake.Hit(id, "processes", false)
		settle(time.Minute)
		r.want("api", Running)
		if fake.Living()["api.1"] != id {
			t.Error("it was restarted")
		}
		want := []string{"memory limit 512MiB reached", "process limit 64 reached"}
		if got := r.reasons("api", journal.LimitHit); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

func TestProcessLimitRestartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", limitedTo(0, "")))
		id := fake.Living()["api.1"]
		for range 90 { // once a second, as a backend would
			fake.Hit(id, "processes", false)
			settle(time.Second)
		}
		r.want("api", Running)
		want := []string{"process limit 64 reached", "process limit 64 reached, 60 times in 1m"}
		if got := r.reasons("api", journal.LimitHit); fake.Living()["api.1"] != id || !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

func TestEndOverTheMemoryLimitSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		killed bool
		after  time.Duration
		code   int
		signal string
		want   string
	}{
		"killed by the system":     {true, 0, 137, "SIGKILL", "out of memory (limit 1GiB), ended by SIGKILL after 20s"},
		"failed allocation":        {false, 500 * time.Millisecond, 3, "", "out of memory (limit 1GiB), exit 3 after 21s"},
		"another was killed":       {true, 0, 3, "", "exit 3 after 20s"},
		"ended well all the same":  {false, 0, 0, "", "exit 0 after 20s"},
		"killed by somebody later": {true, time.Hour, 137, "SIGKILL", "ended by SIGKILL after 1h"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := processtest.New()
				r := newRig(t, fake, nil)
				action := spec.LimitRestart
				if c.after > limitGrace {
					action = spec.LimitLog
				}
				r.apply(service("api", limitedTo(1<<30, action)))
				settle(20 * time.Second)
				id := fake.Living()["api.1"]
				fake.Hit(id, "memory", c.killed)
				settle(c.after)
				fake.Exit(id, c.code, c.signal)
				settle(time.Millisecond)
				if got := r.snap("api").LastExit.Text; !strings.HasPrefix(got, c.want) {
					t.Errorf("last exit %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestStopThatWasAskedForIsNotOutOfMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", limitedTo(1<<30, spec.LimitRestart)))
		settle(20 * time.Second)
		fake.Hit(fake.Living()["api.1"], "memory", false)
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		settle(time.Minute)
		if p := r.want("api", Stopped); strings.Contains(p.Reason+p.LastExit.Text, "out of memory") {
			t.Errorf("reason %q, last exit %q", p.Reason, p.LastExit.Text)
		}
	})
}

func TestNewLimitThatIsTooSmallIsRolledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", limitedTo(1<<30, spec.LimitRestart)))
		settle(20 * time.Second)
		r.apply(service("api", limitedTo(1<<20, spec.LimitRestart)))
		fake.Hit(fake.Living()["api.1"], "memory", false)
		settle(10 * time.Second)
		r.want("api", Running)
		if got := fake.Request(fake.Living()["api.1"]).Limits.Memory; got != 1<<30 {
			t.Errorf("it runs with a limit of %d", got)
		}
		if got := r.reasons("api", journal.RolledBack); len(got) != 1 || !strings.Contains(got[0], "out of memory (limit 1MiB)") {
			t.Errorf("events %q", got)
		}
	})
}
