package supervisor

import (
	"context"
	"errors"
	"fmt"
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

// fakeProbes says of runs what a test has it say.
type fakeProbes struct {
	// script is called for each run that is watched; say reports a change after a while.
	script func(w Watched, say func(after time.Duration, c HealthChange, reason string))

	mu      sync.Mutex
	watches map[string]*fakeWatch // the newest of each instance
	ears    []*fakeEar
}

type fakeWatch struct {
	Watched
	report func(HealthEvent)

	mu      sync.Mutex
	stopped bool
	paused  bool
	applied []spec.Health

	wantsLines bool
	lines      []string
}

func (f *fakeProbes) Listen(s *spec.Service) (Ear, error) {
	if s.Health.Readiness != nil && s.Health.Readiness.Notify {
		e := &fakeEar{}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.ears = append(f.ears, e)
		return e, nil
	}
	return nil, nil
}

type fakeEar struct{ closed atomic.Int32 }

func (*fakeEar) Env() []string { return []string{"NOTIFY_SOCKET=/ear"} }
func (e *fakeEar) Close()      { e.closed.Add(1) }

func (w *fakeWatch) WantsLines() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wantsLines && !w.stopped
}

func (w *fakeWatch) Line(text []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, string(text))
}

func (f *fakeProbes) Watch(w Watched, report func(HealthEvent)) HealthWatch {
	v := &fakeWatch{Watched: w, report: report}
	f.mu.Lock()
	f.watches[w.Spec.ID] = v
	f.mu.Unlock()
	if f.script != nil {
		f.script(w, func(after time.Duration, c HealthChange, reason string) {
			time.AfterFunc(after, func() { v.say(c, reason) })
		})
	}
	return v
}

func (f *fakeProbes) of(id string) *fakeWatch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watches[id]
}

func (w *fakeWatch) say(c HealthChange, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.report(HealthEvent{Change: c, Reason: reason})
	}
}

func (w *fakeWatch) Apply(h spec.Health) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.applied = append(w.applied, h)
}

func (w *fakeWatch) Pause(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = on
}

func (w *fakeWatch) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
}

func probed(s *spec.Service) { s.Health.Readiness = &spec.Probe{TCP: "127.0.0.1:1"} }

func startup(s *spec.Service) { s.Health.Startup = &spec.Probe{TCP: "127.0.0.1:1"} }

func instances(n int, name string, change ...func(*spec.Service)) []*spec.Service {
	var out []*spec.Service
	for k := range n {
		out = append(out, service(name, append(change, func(s *spec.Service) {
			s.Instance, s.Instances, s.ID = k+1, n, fmt.Sprintf("%s.%d", name, k+1)
		})...))
	}
	return out
}

// readyAfter has every run become ready, but those with the argument "bad".
func readyAfter(d time.Duration) func(Watched, func(time.Duration, HealthChange, string)) {
	return func(w Watched, say func(time.Duration, HealthChange, string)) {
		if w.Spec.Health.Startup != nil {
			say(d, StartupPassed, "")
		}
		if slices.Contains(w.Spec.Command, "bad") {
			say(d, BecameNotReady, "status 503, wanted 200-399")
		} else if w.Spec.Health.Readiness != nil {
			say(d, BecameReady, "")
		}
	}
}

func TestStartupGatesRunningAndReadinessGatesDependents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.probes.script = func(w Watched, say func(time.Duration, HealthChange, string)) {
			say(10*time.Second, StartupPassed, "")
			say(15*time.Second, BecameNotReady, "connection refused")
			say(20*time.Second, BecameReady, "")
		}
		if _, err := r.sup.Begin(makeSpec(service("db", startup, probed), service("api", needs(spec.ConditionHealthy, "db"))), nil); err != nil {
			t.Fatal(err)
		}
		settle(5 * time.Second)
		if p := r.want("db", Starting); p.Health != HealthStarting || p.PID == 0 {
			t.Errorf("health %s, PID %d", p.Health, p.PID)
		}
		settle(11 * time.Second)
		if p := r.want("db", Running); p.Health != HealthStarting || p.HealthReason != "connection refused" {
			t.Errorf("health %s: %q", p.Health, p.HealthReason)
		}
		if p := r.want("api", Waiting); !strings.Contains(p.Reason, `"db" to become healthy: connection refused`) {
			t.Errorf("reason %q", p.Reason)
		}
		settle(5 * time.Second)
		if p := r.want("db", Running); p.Health != HealthHealthy {
			t.Errorf("health %s", p.Health)
		}
		r.want("api", Running)
		r.probes.of("db").say(BecameNotReady, "status 500")
		settle(0)
		r.mu.Lock()
		for _, e := range r.events {
			if e.Kind == journal.Unhealthy && e.Details[journal.DetailProbe] != "readiness" {
				t.Errorf("told with %v", e.Details)
			}
		}
		r.mu.Unlock()
		if p := r.want("db", Running); p.Health != HealthUnhealthy || r.count("db", journal.Unhealthy) != 1 {
			t.Errorf("health %s", p.Health)
		}
		r.want("api", Running) // readiness only gates
		r.probes.of("db").say(BecameReady, "")
		settle(0)
		if r.count("db", journal.Recovered) != 1 {
			t.Error("nothing says that it is ready again")
		}
	})
}

func TestFailedStartupAndLivenessRestartByPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.probes.script = func(w Watched, say func(time.Duration, HealthChange, string)) {
			fail := StartupFailed
			if w.Run.Incarnation > 1 {
				fail = LivenessFailed
				say(time.Second, StartupPassed, "")
			}
			say(3*time.Second, fail, "no answer")
		}
		live := func(s *spec.Service) { s.Health.Liveness = &spec.Probe{TCP: "127.0.0.1:1"} }
		if _, err := r.sup.Begin(makeSpec(service("api", startup, live)), nil); err != nil {
			t.Fatal(err)
		}
		settle(3*time.Second + 500*time.Millisecond)
		if p := r.want("api", Backoff); !strings.Contains(p.Reason, "startup probe failed: no answer") {
			t.Errorf("reason %q", p.Reason)
		}
		settle(4 * time.Second)
		settle(500 * time.Millisecond)
		if p := r.want("api", Backoff); !strings.Contains(p.Reason, "liveness probe failed: no answer") {
			t.Errorf("reason %q", p.Reason)
		}
		if got := r.states("api"); !slices.Equal(got, []string{"starting", "stopping", "backoff", "starting", "running", "stopping", "backoff"}) {
			t.Errorf("went through %v", got)
		}
	})
}

func TestPausedHostLeavesTheUnwellAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api", func(s *spec.Service) { s.Health.Liveness = &spec.Probe{TCP: "127.0.0.1:1"} }))
		r.want("api", Running)
		if err := r.sup.Pause(true); err != nil {
			t.Fatal(err)
		}
		settle(0)
		w := r.probes.of("api")
		if !w.paused {
			t.Error("the probes go on")
		}
		w.say(LivenessFailed, "no answer")
		settle(time.Hour)
		r.want("api", Running)
		if err := r.sup.Pause(false); err != nil {
			t.Fatal(err)
		}
		settle(10 * time.Millisecond)
		r.want("api", Backoff)
	})
}

func TestChangedSpecThatIsNotReadyInTimeGoesBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		script func(w Watched, say func(time.Duration, HealthChange, string))
		why    string
	}{
		{"never ready", func(_ Watched, say func(time.Duration, HealthChange, string)) {
			say(time.Second, BecameNotReady, "status 503")
		}, "not ready within update.timeout, 1m: status 503"},
		{"ready and then not", func(_ Watched, say func(time.Duration, HealthChange, string)) {
			say(time.Second, BecameReady, "")
			say(6*time.Second, BecameNotReady, "status 500")
		}, "it did not stay ready: status 500"},
		{"not alive", func(_ Watched, say func(time.Duration, HealthChange, string)) {
			say(time.Second, LivenessFailed, "no answer")
		}, "liveness probe failed: no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, processtest.New(), nil)
				short := func(s *spec.Service) { s.Update.Timeout = time.Minute }
				r.probes.script = readyAfter(time.Second)
				r.apply(service("api", probed, short))
				settle(time.Minute)
				good := r.want("api", Running)
				r.probes.script = func(w Watched, say func(time.Duration, HealthChange, string)) {
					if slices.Contains(w.Spec.Command, "bad") {
						c.script(w, say)
					} else {
						say(time.Second, BecameReady, "")
					}
				}
				begin := time.Now()
				r.apply(service("api", probed, short, arg("bad")))
				settle(3 * time.Minute)
				p := r.want("api", Running)
				if p.SpecState != SpecRolledBack || p.Spec.Hash != good.Spec.Hash || !strings.Contains(p.RejectWhy, c.why) || p.Health != HealthHealthy {
					t.Errorf("after %v: %s, health %s, rejected for %q", time.Since(begin), p.SpecState, p.Health, p.RejectWhy)
				}
				if p.Restarts != 0 {
					t.Errorf("%d restarts: a rollback is none", p.Restarts)
				}
			})
		})
	}
}

// TestProgramAsksForTime: EXTEND_TIMEOUT_USEC moves the end of update.timeout, never to an earlier moment.
func TestProgramAsksForTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		short := func(s *spec.Service) { s.Update.Timeout = time.Minute }
		r.probes.script = readyAfter(time.Second)
		r.apply(service("api", probed, short))
		settle(time.Minute)
		r.probes.script = func(w Watched, say func(time.Duration, HealthChange, string)) {
			if !slices.Contains(w.Spec.Command, "slow") {
				say(time.Second, BecameReady, "")
				return
			}
			for after, more := range map[time.Duration]time.Duration{50 * time.Second: time.Minute, 100 * time.Second: 20 * time.Second} {
				time.AfterFunc(after, func() {
					r.probes.of("api").report(HealthEvent{Change: AskedForTime, Until: time.Now().Add(more)})
				})
			}
		}
		begin := time.Now()
		r.apply(service("api", probed, short, arg("slow")))
		settle(time.Minute)
		if p := r.want("api", Running); p.SpecState != SpecRolledBack || p.Health != HealthHealthy {
			t.Errorf("the time it asked for is over: %s, health %s", p.SpecState, p.Health)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, e := range r.events {
			if e.Kind == journal.RolledBack && (e.Time.Sub(begin) < 2*time.Minute || e.Time.Sub(begin) > 121*time.Second) {
				t.Errorf("it went back after %v, wanted 2m", e.Time.Sub(begin))
			}
		}
	})
}

func TestFailureActionOfARollout(t *testing.T) {
	for _, action := range []spec.FailureAction{spec.FailurePause, spec.FailureContinue, spec.FailureRollback} {
		t.Run(string(action), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, processtest.New(), nil)
				r.probes.script = readyAfter(time.Second)
				set := func(s *spec.Service) { s.Update.Timeout, s.Update.FailureAction = time.Minute, action }
				r.apply(instances(3, "api", probed, set)...)
				settle(time.Minute)
				r.apply(instances(3, "api", probed, set, arg("bad"))...)
				settle(10 * time.Minute)
				var bad []string
				for n := range 3 {
					if p := r.want(fmt.Sprintf("api.%d", n+1), Running); slices.Contains(p.Started.Command, "bad") {
						bad = append(bad, p.ID)
					}
				}
				tried := 0
				for _, id := range r.fake.Starts() {
					if id.Instance > 1 && id.Incarnation > 1 {
						tried++
					}
				}
				switch action {
				case spec.FailurePause:
					if !slices.Equal(bad, []string{"api.1"}) || tried > 0 || r.snap("api.1").Stalled == "" {
						t.Errorf("with the new spec: %v, %d others tried", bad, tried)
					}
				case spec.FailureContinue:
					if len(bad) != 3 {
						t.Errorf("with the new spec: %v", bad)
					}
				case spec.FailureRollback:
					if len(bad) != 0 || tried > 0 {
						t.Errorf("with the new spec: %v, %d others tried it after the first failed", bad, tried)
					}
					for n := range 3 {
						if p := r.snap(fmt.Sprintf("api.%d", n+1)); p.SpecState != SpecRolledBack {
							t.Errorf("%s is %s", p.ID, p.SpecState)
						}
					}
				}
			})
		})
	}
}

// TestRetryOfAVetoedService: what was rejected together is tried again together.
func TestRetryOfAVetoedService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.probes.script = readyAfter(time.Second)
		set := func(s *spec.Service) { s.Update.Timeout = time.Minute }
		r.apply(instances(3, "api", probed, set)...)
		settle(time.Minute)
		next := instances(3, "api", probed, set, arg("bad"))
		r.apply(next...)
		settle(10 * time.Minute)
		r.probes.script = func(_ Watched, say func(time.Duration, HealthChange, string)) { say(time.Second, BecameReady, "") }
		if _, err := r.sup.Apply(context.Background(), makeSpec(next...), []string{"api"}, true); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		for n := range 3 {
			if p := r.want(fmt.Sprintf("api.%d", n+1), Running); p.SpecState != SpecApplied || !slices.Contains(p.Started.Command, "bad") {
				t.Errorf("%s is %s: %s", p.ID, p.SpecState, p.RejectWhy)
			}
		}
	})
}

func TestRolloutGoesByParallelism(t *testing.T) {
	for parallel, want := range map[int]time.Duration{1: 50 * time.Second, 2: 30 * time.Second, 5: 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, processtest.New(), nil)
			r.probes.script = readyAfter(10 * time.Second)
			set := func(s *spec.Service) { s.Update.Parallelism = parallel }
			r.apply(instances(5, "api", probed, set)...)
			settle(time.Minute)
			begin := time.Now()
			r.apply(instances(5, "api", probed, set, arg("new"))...)
			if d := time.Since(begin); d < want || d > want+2*time.Second {
				t.Errorf("%d at once: took %v, want %v", parallel, d, want)
			}
		})
	}
}

func TestDependentIsRestartedWithWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.probes.script = readyAfter(5 * time.Second)
		follows := func(s *spec.Service) {
			s.DependsOn = map[string]spec.Dependency{"db": {Condition: spec.ConditionHealthy, Required: true, Restart: true}}
		}
		r.apply(service("db", probed), service("api", follows), service("other", needs(spec.ConditionHealthy, "db")))
		settle(time.Minute)
		r.fake.Exit(r.snap("db").Run, 1, "")
		settle(4 * time.Second)
		if n := r.snap("api").Run.Incarnation; n != 1 {
			t.Errorf("restarted before the other was ready: run %d", n)
		}
		settle(time.Minute)
		p := r.want("api", Running)
		if p.Run.Incarnation != 2 || !p.StartedAt.After(r.snap("db").StartedAt) {
			t.Errorf("run %d", p.Run.Incarnation)
		}
		if n := r.snap("other").Run.Incarnation; n != 1 {
			t.Errorf("what does not ask for it was restarted, too: run %d", n)
		}
		if !slices.Contains(r.reasons("api", journal.StateChanged), `restart asked for by its dependency "db", which was restarted`) {
			t.Errorf("reasons %q", r.reasons("api", journal.StateChanged))
		}
		// Both changed by one edit: once is enough.
		r.apply(service("db", probed, arg("2")), service("api", follows, arg("2")), service("other", needs(spec.ConditionHealthy, "db")))
		settle(time.Minute)
		if n := r.snap("api").Run.Incarnation; n != 3 {
			t.Errorf("run %d, want 3", n)
		}
	})
}

func TestProbesAreChangedWithoutARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		if r.probes.of("api") != nil {
			t.Error("a run without probes is asked")
		}
		r.apply(service("api", probed))
		w := r.probes.of("api")
		if w == nil || r.snap("api").Health != HealthHealthy {
			t.Fatal("a probe that came later is not asked, or took the health away")
		}
		r.apply(service("api", startup, probed))
		settle(0)
		if len(w.applied) != 1 {
			t.Errorf("applied %v", w.applied)
		}
		r.apply(service("api"))
		settle(0)
		if p := r.snap("api"); !w.stopped || p.Run.Incarnation != 1 || p.Health != HealthHealthy {
			t.Errorf("run %d, health %s", p.Run.Incarnation, p.Health)
		}
	})
}

func TestStartWaitsUntilReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.probes.script = readyAfter(7 * time.Second)
		r.apply(service("api", probed))
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		begin := time.Now()
		out := r.do(Act{Verb: Start, Names: []string{"api"}})
		if d := time.Since(begin); d < 7*time.Second || d > 8*time.Second || !out[0].OK {
			t.Errorf("after %v: %+v", d, out[0])
		}
		r.probes.script = func(Watched, func(time.Duration, HealthChange, string)) {}
		begin = time.Now()
		out = r.do(Act{Verb: Restart, Names: []string{"api"}})
		if d := time.Since(begin); d < 5*time.Minute || out[0].OK {
			t.Errorf("never ready: after %v: %+v", d, out[0])
		}
	})
}

func TestTimeToBeWellForANewStartOfTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		if _, err := r.sup.Begin(makeSpec(service("api", probed)), nil); err != nil {
			t.Fatal(err)
		}
		// Running for longer than reset_after, but never ready: the delay grows.
		for n := range 3 {
			settle(time.Minute)
			r.fake.Exit(r.snap("api").Run, 1, "")
			settle(0)
			p := r.want("api", Backoff)
			if wait := time.Until(p.NextTry); wait < time.Duration(1<<n)*time.Second {
				t.Errorf("try %d: next in %v", n, wait)
			}
		}
	})
}

func TestProbeProgramRunsAsAnErrandOfTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		var seen process.RunID
		fake.Behave = func(id process.RunID, q process.Request) processtest.Behavior {
			if id.Task == "" {
				return processtest.Behavior{}
			}
			seen = id
			if slices.Contains(q.Args, "hang") {
				return processtest.Behavior{IgnoreStop: true}
			}
			return processtest.Behavior{ExitAfter: time.Second, Code: len(q.Args) - 1}
		}
		r := newRig(t, fake, nil)
		r.apply(service("api", probed))
		exec := r.probes.of("api").Exec
		if err := exec(context.Background(), []string{trueProgram}); err != nil {
			t.Error(err)
		}
		if seen.Service != "api" || seen.Incarnation != 1 || !strings.HasPrefix(seen.Task, "probe.") {
			t.Errorf("run %+v", seen)
		}
		if err := exec(context.Background(), []string{trueProgram, "x", "y"}); err == nil || err.Error() != "exit 2" {
			t.Errorf("error %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := exec(ctx, []string{trueProgram, "hang"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// A result can be on its way while the probes are taken out of the spec.
func TestResultOfRemovedProbesSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.probes.script = readyAfter(time.Second)
		r.apply(service("api", probed))
		settle(time.Minute)
		first, late := r.want("api", Running), r.probes.of("api")
		r.apply(service("api"))
		late.report(HealthEvent{Change: BecameNotReady, Reason: "late"})
		settle(time.Minute)
		if p := r.want("api", Running); p.Health != HealthHealthy || p.Run != first.Run {
			t.Errorf("%s (%s), run %v", p.Health, p.HealthReason, p.Run)
		}
		late.report(HealthEvent{Change: LivenessFailed, Reason: "late"})
		settle(time.Minute)
		if p := r.want("api", Running); p.Run != first.Run {
			t.Errorf("run %v, was %v", p.Run, first.Run)
		}
	})
}

// A rollout that stopped with an instance goes on when that proves to work after all.
func TestStalledRolloutGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.probes.script = readyAfter(time.Second)
		set := func(s *spec.Service) {
			s.Update.Timeout, s.Update.FailureAction = time.Minute, spec.FailurePause
		}
		r.apply(instances(3, "api", probed, set)...)
		settle(time.Minute)
		r.apply(instances(3, "api", probed, set, arg("bad"))...)
		settle(10 * time.Minute)
		if r.snap("api.1").Stalled == "" {
			t.Fatal("it goes on with a bad spec")
		}
		r.probes.script = func(w Watched, say func(time.Duration, HealthChange, string)) { say(time.Second, BecameReady, "") }
		r.fake.Exit(r.snap("api.1").Run, 1, "")
		settle(10 * time.Minute)
		for n := range 3 {
			if p := r.want(fmt.Sprintf("api.%d", n+1), Running); !slices.Contains(p.Started.Command, "bad") || p.Stalled != "" {
				t.Errorf("%s runs %v, stalled %q", p.ID, p.Started.Command[1:], p.Stalled)
			}
		}
	})
}

// A program may say something as long as it lives, also how its stop goes.
func TestEarIsOpenUntilNothingIsLeftOfTheRun(t *testing.T) {
	told := func(s *spec.Service) { s.Health.Readiness = &spec.Probe{Notify: true} }
	for _, order := range []func(*spec.Service){func(*spec.Service) {}, startFirst} {
		synctest.Test(t, func(t *testing.T) {
			r := beside(t)
			open := func(want ...bool) {
				t.Helper()
				var got []bool
				r.probes.mu.Lock()
				defer r.probes.mu.Unlock()
				for _, e := range r.probes.ears {
					if e.closed.Load() > 1 {
						t.Error("it was closed twice")
					}
					got = append(got, e.closed.Load() == 0)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("open: %v, want %v", got, want)
				}
			}
			r.apply(service("api", told, order))
			settle(time.Minute)
			open(true)
			r.begin(service("api", told, order, arg("new")))
			settle(2500 * time.Millisecond)
			if r.snap("api").Rollout != nil { // the next one took over, the former one is being stopped
				open(true, true)
			} else {
				open(true)
			}
			r.do(Act{Verb: Stop, Names: []string{"api"}})
			open(make([]bool, len(r.probes.ears))...)
			r.do(Act{Verb: Start, Names: []string{"api"}})
			settle(time.Minute)
			last := r.probes.ears[len(r.probes.ears)-1]
			go r.sup.Do(context.Background(), Act{Verb: Stop, Names: []string{"api"}, Actor: "tester"})
			settle(time.Second)
			if r.want("api", Stopping); last.closed.Load() != 0 {
				t.Error("it was closed while the process was stopping")
			}
			settle(time.Minute)
			if r.want("api", Stopped); last.closed.Load() != 1 {
				t.Error("it is still open")
			}
			r.fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
				return processtest.Behavior{StartError: &process.Error{Kind: process.ErrResources, Message: "no luck"}}
			}
			go r.sup.Do(context.Background(), Act{Verb: Start, Names: []string{"api"}, Actor: "tester"})
			settle(time.Second)
			r.probes.mu.Lock()
			defer r.probes.mu.Unlock()
			for n, e := range r.probes.ears {
				if e.closed.Load() != 1 {
					t.Errorf("ear %d was closed %d times", n+1, e.closed.Load())
				}
			}
		})
	}
}
