package supervisor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

// errands is a backend that remembers what ran in which order, hooks by their kind.
type errands struct {
	*processtest.Fake
	mu   sync.Mutex
	seen []string
	vars map[string][]string
}

func newErrands(behave func(kind string) processtest.Behavior) *errands {
	e := &errands{Fake: processtest.New(), vars: map[string][]string{}}
	e.Behave = func(id process.RunID, r process.Request) processtest.Behavior {
		kind, _, _ := strings.Cut(id.Task, ".")
		if kind == "" {
			kind = "run"
		}
		e.mu.Lock()
		e.seen = append(e.seen, kind)
		e.vars[kind] = r.Env
		e.mu.Unlock()
		return behave(kind)
	}
	return e
}

func (e *errands) order() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.seen)
}

func (e *errands) told(kind, name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return lookup(e.vars[kind], name)
}

func exec(words ...string) []spec.Action {
	return []spec.Action{{Exec: append([]string{trueProgram}, words...), Timeout: 30 * time.Second}}
}

func allHooks(s *spec.Service) {
	s.Hooks = spec.Hooks{PreStart: exec(), PostStart: exec(), PreStop: exec(), PostStop: exec(), OnFailure: exec()}
}

func TestHooksRunAroundALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(kind string) processtest.Behavior {
			if kind == "run" {
				return processtest.Behavior{}
			}
			return processtest.Behavior{ExitAfter: 5 * time.Second}
		})
		r := newRig(t, e.Fake, nil)
		begin := time.Now()
		r.apply(service("api", allHooks))
		if d := time.Since(begin); d < 5*time.Second {
			t.Errorf("started after %v, before its pre_start hook was over", d)
		}
		r.want("api", Running)
		settle(time.Minute)
		begin = time.Now()
		r.do(Act{Verb: Restart, Names: []string{"api"}})
		if d := time.Since(begin); d < 15*time.Second || d > 16*time.Second {
			t.Errorf("the restart took %v, want pre_stop, post_stop and pre_start", d)
		}
		settle(time.Minute)
		r.fake.Exit(r.snap("api").Run, 3, "")
		settle(time.Minute)
		r.want("api", Running)
		want := []string{
			"pre_start", "run", "post_start",
			"pre_stop", "post_stop", "pre_start", "run", "post_start",
			"post_stop", "pre_start", "run", "post_start",
		}
		if got := e.order(); !slices.Equal(got, want) {
			t.Errorf("ran %v\nwant %v", got, want)
		}
		if code, hook := e.told("post_stop", "HOST_EXIT_CODE"), e.told("post_stop", "HOST_HOOK"); code != "3" || hook != "post_stop" {
			t.Errorf("post_stop was told of exit %q, as %q", code, hook)
		}
		if e.told("post_start", "HOST_PID") == "" {
			t.Error("post_start was not told the process")
		}
	})
}

func TestFailedPreStartKeepsItFromStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fails atomic.Bool
		fails.Store(true)
		e := newErrands(func(kind string) processtest.Behavior {
			b := processtest.Behavior{}
			if kind == "pre_start" && fails.Load() {
				b.Code = 7
			}
			if kind != "run" {
				b.ExitAfter = time.Second
			}
			return b
		})
		r := newRig(t, e.Fake, nil)
		r.apply(service("api", allHooks))
		p := r.want("api", Failed)
		if !strings.Contains(p.Reason, "hook pre_start of service \"api\" failed") || !strings.Contains(p.Reason, "exit 7") || time.Until(p.NextTry) < 9*time.Minute {
			t.Errorf("reason %q, next %v", p.Reason, p.NextTry)
		}
		settle(2 * time.Second)
		if got := e.order(); !slices.Equal(got, []string{"pre_start", "on_failure"}) {
			t.Errorf("ran %v", got)
		}
		if why := e.told("on_failure", "HOST_REASON"); !strings.Contains(why, "exit 7") {
			t.Errorf("on_failure was told %q", why)
		}
		fails.Store(false)
		settle(11 * time.Minute)
		r.want("api", Running)
	})
}

func TestIgnoredFailureOfAHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(kind string) processtest.Behavior {
			if kind == "run" {
				return processtest.Behavior{}
			}
			return processtest.Behavior{ExitAfter: time.Second, Code: 1}
		})
		r := newRig(t, e.Fake, nil)
		r.apply(service("api", func(s *spec.Service) {
			s.Hooks.PreStart = slices.Concat(exec(), exec())
			s.Hooks.PreStart[0].IgnoreFailure, s.Hooks.PreStart[1].IgnoreFailure = true, true
		}))
		r.want("api", Running)
		if n := r.count("api", journal.Warning); n != 2 {
			t.Errorf("%d warnings", n)
		}
	})
}

func TestHookThatHangsEndsAtItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(kind string) processtest.Behavior {
			return processtest.Behavior{IgnoreStop: kind != "run"}
		})
		r := newRig(t, e.Fake, nil)
		r.apply(service("api", func(s *spec.Service) { s.Hooks.PreStop = exec() }))
		begin := time.Now()
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		if d := time.Since(begin); d < 30*time.Second || d > 36*time.Second {
			t.Errorf("the stop took %v", d)
		}
		if r.count("api", journal.Killed) != 0 {
			t.Error("the service was killed, although it stops when it is told")
		}
	})
}

func TestStopDuringPreStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(kind string) processtest.Behavior {
			return processtest.Behavior{IgnoreStop: kind != "run"}
		})
		r := newRig(t, e.Fake, nil)
		if _, err := r.sup.Begin(makeSpec(service("api", allHooks)), nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		r.want("api", Starting)
		begin := time.Now()
		if out := r.do(Act{Verb: Stop, Names: []string{"api"}}); !out[0].OK || time.Since(begin) > time.Second {
			t.Errorf("after %v: %+v", time.Since(begin), out[0])
		}
		if got := e.order(); !slices.Equal(got, []string{"pre_start"}) {
			t.Errorf("ran %v", got)
		}
		if n := r.sup.Shutdown(context.Background(), time.Minute); n != 0 {
			t.Errorf("%d killed", n)
		}
	})
}

func TestProgramIsToldOfWhatItReadsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{IgnoreStop: true}
		}
		var mu sync.Mutex
		var steps []string
		fake.Step = func(_ process.RunID, do string) error {
			mu.Lock()
			defer mu.Unlock()
			steps = append(steps, do)
			return nil
		}
		r := newRig(t, fake, nil)
		with := func(value, config string) *spec.Service {
			return service("api", func(s *spec.Service) {
				s.Env, s.EnvFromFile = map[string]*string{"LEVEL": &value}, map[string]bool{"LEVEL": true}
				s.OnChange, s.Config = &spec.OnChange{Signal: "SIGHUP"}, config
			})
		}
		r.apply(with("info", "1"))
		first := r.snap("api").PID
		r.apply(with("debug", "1"))
		r.apply(with("debug", "2"))
		settle(time.Second)
		mu.Lock()
		sent := slices.Clone(steps)
		mu.Unlock()
		if p := r.want("api", Running); p.PID != first || p.SpecState != SpecApplied || !slices.Equal(sent, []string{"SIGHUP", "SIGHUP"}) {
			t.Errorf("process %d, before %d; %s; sent %v", p.PID, first, p.SpecState, sent)
		}
		own := "x"
		r.apply(service("api", func(s *spec.Service) {
			s.Env, s.OnChange = map[string]*string{"LEVEL": &own}, &spec.OnChange{Signal: "SIGHUP"}
		}))
		if r.want("api", Running).PID == first {
			t.Error("a change of the spec itself did not restart it")
		}
	})
}

// A job whose pre_start fails is left out once, and due again by its schedule.
func TestVetoedJobWaitsForItsNextTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(string) processtest.Behavior { return processtest.Behavior{ExitAfter: time.Second, Code: 1} })
		r := newRig(t, e.Fake, nil)
		r.apply(job("clean", func(s *spec.Service) { s.Hooks.PreStart = exec() }))
		settle(3*time.Minute + 30*time.Second)
		p := r.want("clean", Failed)
		if got := e.order(); !slices.Equal(got, []string{"pre_start", "pre_start", "pre_start"}) || time.Until(p.NextTry) != 30*time.Second {
			t.Errorf("next %v, ran %d: %v", p.NextTry, len(got), got[:min(len(got), 10)])
		}
	})
}

// What a stop gave up is begun anew by a start, however soon that comes.
func TestStartAfterAStopDuringPreStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(kind string) processtest.Behavior {
			if kind == "run" {
				return processtest.Behavior{}
			}
			return processtest.Behavior{ExitAfter: 10 * time.Second, IgnoreKill: true}
		})
		r := newRig(t, e.Fake, nil)
		if _, err := r.sup.Begin(makeSpec(service("api", func(s *spec.Service) { s.Hooks.PreStart = exec() })), nil); err != nil {
			t.Fatal(err)
		}
		settle(7 * time.Second)
		r.want("api", Starting)
		go r.sup.Do(context.Background(), Act{Verb: Stop, Names: []string{"api"}, Actor: "tester"})
		settle(time.Second)
		r.do(Act{Verb: Start, Names: []string{"api"}})
		r.want("api", Running)
		if got := e.order(); !slices.Equal(got, []string{"pre_start", "pre_start", "run"}) {
			t.Errorf("ran %v", got)
		}
	})
}

// What waits for a dependency is settled once its own hooks are over: nobody has to wait for it any more.
func TestEndOfPostStopIsSeenBehindAClosedGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			if id.Task != "" {
				return processtest.Behavior{ExitAfter: 2 * time.Second}
			}
			return processtest.Behavior{}
		}
		r := newRig(t, fake, nil)
		hook := func(s *spec.Service) {
			s.Hooks.PostStop = []spec.Action{{Exec: []string{trueProgram}, Timeout: time.Minute}}
		}
		db := service("db")
		r.apply(append(instances(2, "api", hook, needs(spec.ConditionStarted, "db")), db)...)
		settle(time.Minute)
		r.do(Act{Verb: Stop, Names: []string{"db"}})
		begin := time.Now()
		r.apply(append(instances(2, "api", hook, needs(spec.ConditionStarted, "db"), arg("new")), db)...)
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("the edit took %v", d)
		}
		for _, id := range []string{"api.1", "api.2"} {
			if p := r.want(id, Waiting); len(p.Spec.Command) != 2 {
				t.Errorf("%s is to run %v, spec %s: %s", id, p.Spec.Command, p.SpecState, p.RejectWhy)
			}
		}
	})
}

// The end of the host waits for hooks no longer than for anything else.
func TestShutdownEndsHooksWithItsBudget(t *testing.T) {
	for _, kind := range []string{"post_start", "pre_stop", "post_stop"} {
		synctest.Test(t, func(t *testing.T) {
			e := newErrands(func(k string) processtest.Behavior { return processtest.Behavior{IgnoreStop: k == kind} })
			e.Behave = func(behave func(process.RunID, process.Request) processtest.Behavior) func(process.RunID, process.Request) processtest.Behavior {
				return func(id process.RunID, r process.Request) processtest.Behavior {
					b := behave(id, r)
					if id.Task != "" && !b.IgnoreStop {
						b.ExitAfter = time.Second
					}
					return b
				}
			}(e.Behave)
			r := newRig(t, e.Fake, nil)
			r.apply(service("api", allHooks, func(s *spec.Service) {
				for _, l := range [][]spec.Action{s.Hooks.PostStart, s.Hooks.PreStop, s.Hooks.PostStop} {
					l[0].Timeout = time.Hour
				}
			}))
			settle(time.Second)
			begin := time.Now()
			r.sup.Shutdown(context.Background(), time.Minute)
			if d := time.Since(begin); d > time.Minute+2*killAgain {
				t.Errorf("with a %s hook that hangs it took %v", kind, d)
			}
		})
	}
}

// A post_stop hook that outlives the last service is waited for, and no longer.
func TestShutdownSeesTheEndOfPostStop(t *testing.T) {
	for _, c := range []struct{ takes, timeout, want time.Duration }{
		{2 * time.Second, time.Minute, 2 * time.Second},
		{time.Hour, 3 * time.Second, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake := processtest.New()
			fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
				if id.Task != "" {
					return processtest.Behavior{ExitAfter: c.takes}
				}
				return processtest.Behavior{}
			}
			r := newRig(t, fake, nil)
			r.apply(service("api", func(s *spec.Service) {
				s.Hooks.PostStop = []spec.Action{{Exec: []string{trueProgram}, Timeout: c.timeout}}
			}))
			settle(time.Second)
			begin := time.Now()
			r.sup.Shutdown(context.Background(), time.Minute)
			if d := time.Since(begin); d < c.want || d > c.want+time.Second {
				t.Errorf("it took %v, wanted %v", d, c.want)
			}
		})
	}
}

// What is ended by force stays down, also where it waits for others to stop before it.
func TestForcedEndStartsNothingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{IgnoreStop: true, Linger: time.Second}
		}
		r := newRig(t, fake, nil)
		r.apply(service("db"), service("api", needs(spec.ConditionStarted, "db")), service("web", needs(spec.ConditionStarted, "api")))
		settle(time.Minute)
		begin := time.Now()
		r.sup.Shutdown(context.Background(), 10*time.Second)
		if d, n := time.Since(begin), len(fake.Starts()); d > 15*time.Second || n != 3 {
			t.Errorf("it took %v and %d starts", d, n)
		}
	})
}
