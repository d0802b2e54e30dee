package supervisor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/requires"
	"servicehost/spec"
)

// world is what is there of what services require, by the file that names it.
type world struct {
	mu      sync.Mutex
	missing map[string]bool
	takes   time.Duration
	looks   []spec.Requires
	ended   int // looks that were given up
}

func (w *world) require(ctx context.Context, r spec.Requires, _ requires.Env) []requires.Unmet {
	w.mu.Lock()
	w.looks = append(w.looks, r)
	takes := w.takes
	w.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		w.mu.Lock()
		w.ended++
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []requires.Unmet
	for _, f := range r.Files {
		if w.missing[f] {
			out = append(out, requires.Unmet{Key: "files", Message: "file " + f + " is not there"})
		}
	}
	return out
}

func (w *world) set(file string, there bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.missing[file] = !there
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.looks)
}

func (w *world) rig(t *testing.T, fake *processtest.Fake) *rig {
	r := newRig(t, fake, nil)
	r.sup.env.require = w.require
	return r
}

func newWorld(missing ...string) *world {
	w := &world{missing: map[string]bool{}, takes: time.Millisecond}
	for _, f := range missing {
		w.missing[f] = true
	}
	return w
}

func requiring(files ...string) func(*spec.Service) {
	return func(s *spec.Service) { s.Requires.Files = files }
}

func TestServiceWaitsForWhatItRequires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a", "b")
		r := w.rig(t, processtest.New())
		r.apply(service("api", requiring("a", "b")), service("plain"))
		r.want("plain", Running)
		p := r.want("api", Waiting)
		if p.Reason != "requires: file a is not there; file b is not there" || p.NextTry.IsZero() {
			t.Errorf("reason %q, next try %v", p.Reason, p.NextTry)
		}
		w.set("a", true)
		settle(time.Minute)
		if p = r.want("api", Waiting); p.Reason != "requires: file b is not there" {
			t.Errorf("reason %q", p.Reason)
		}
		if n := w.count(); n < 5 || n > 10 {
			t.Errorf("looked %d times within a minute", n)
		}
		w.set("b", true)
		settle(lookLast + lookLast/10 + time.Second)
		if p = r.want("api", Running); p.Restarts != 0 {
			t.Errorf("%d restarts", p.Restarts)
		}
		if n := r.count("api", journal.Warning); n != 2 {
			t.Errorf("%d warnings, want one for each reason", n)
		}
		if got := r.states("api"); !slices.Equal(got, []string{"waiting", "starting", "running"}) {
			t.Errorf("went through %v", got)
		}
	})
}

func TestEveryStartLooksAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		fake := processtest.New()
		r := w.rig(t, fake)
		r.apply(service("api", requiring("a")))
		first := r.want("api", Running)
		settle(time.Hour)
		if w.count() != 1 {
			t.Errorf("looked %d times while it ran", w.count())
		}
		w.set("a", false)
		fake.Exit(first.Run, 1, "")
		settle(5 * time.Second)
		r.want("api", Waiting)
		w.set("a", true)
		settle(time.Minute)
		if p := r.want("api", Running); p.Restarts != 1 {
			t.Errorf("%d restarts", p.Restarts)
		}
	})
}

func TestStopDuringALookEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.takes = 3 * time.Second
		fake := processtest.New()
		r := w.rig(t, fake)
		if _, err := r.sup.Begin(makeSpec(service("api", requiring("a"))), nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		if p := r.want("api", Waiting); p.Reason != "looks for what it requires" {
			t.Errorf("reason %q", p.Reason)
		}
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		r.want("api", Stopped)
		settle(time.Minute)
		r.want("api", Stopped)
		if w.ended != 1 || len(fake.Starts()) != 0 {
			t.Errorf("%d looks were ended, started %v", w.ended, fake.Starts())
		}
		r.do(Act{Verb: Start, Names: []string{"api"}})
		r.want("api", Running)
	})
}

func TestStopWhileItWaitsStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		r := w.rig(t, processtest.New())
		r.apply(service("api", requiring("a")))
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		r.want("api", Stopped)
		w.set("a", true)
		settle(time.Hour)
		r.want("api", Stopped)
		if w.count() != 1 {
			t.Errorf("looked %d times", w.count())
		}
	})
}

func TestOperatorHasItLookAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		r := w.rig(t, processtest.New())
		r.apply(service("api", requiring("a")))
		settle(10 * time.Minute)
		w.set("a", true)
		at := time.Now()
		w.takes = 2 * time.Second
		if out := r.do(Act{Verb: Start, Names: []string{"api"}}); !out[0].OK {
			t.Error("the start did not wait for the look")
		}
		if p := r.want("api", Running); p.StartedAt.Sub(at) > w.takes+100*time.Millisecond {
			t.Errorf("started after %v", p.StartedAt.Sub(at))
		}
	})
}

func TestChangedSpecIsLookedAtAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		r := w.rig(t, processtest.New())
		r.apply(service("api", requiring("a")))
		settle(10 * time.Minute)
		r.want("api", Waiting)
		at := time.Now()
		r.apply(service("api", requiring("b")))
		if p := r.want("api", Running); p.StartedAt.Sub(at) > 100*time.Millisecond {
			t.Errorf("started after %v", p.StartedAt.Sub(at))
		}
		// Live: what runs is not touched by what it would require.
		was := r.want("api", Running)
		r.apply(service("api", requiring("a")))
		if p := r.want("api", Running); p.Run != was.Run || p.SpecState != SpecApplied {
			t.Errorf("was %v, is %v, %s", was.Run, p.Run, p.SpecState)
		}
	})
}

func TestChangeDuringALookTakesTheNewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		w.takes = 3 * time.Second
		r := w.rig(t, processtest.New())
		if _, err := r.sup.Begin(makeSpec(service("api", requiring("a"))), nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		r.apply(service("api"))
		r.want("api", Running)
		settle(time.Minute)
		if got := r.states("api"); !slices.Equal(got, []string{"waiting", "starting", "running"}) {
			t.Errorf("went through %v", got)
		}
	})
}

// A dependency that comes back is followed by a look at once, however long the last wait was.
func TestDependencyThatComesIsFollowedByALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		r := w.rig(t, processtest.New())
		r.apply(service("db"), service("api", requiring("a"), needs(spec.ConditionStarted, "db")))
		settle(10 * time.Minute)
		r.want("api", Waiting)
		r.do(Act{Verb: Stop, Names: []string{"db"}})
		synctest.Wait()
		if p := r.want("api", Waiting); !strings.Contains(p.Reason, `waits for "db"`) {
			t.Errorf("reason %q", p.Reason)
		}
		w.set("a", true)
		r.do(Act{Verb: Start, Names: []string{"db"}})
		settle(100 * time.Millisecond)
		r.want("api", Running)
	})
}

// The old run is not ended for a new one that could not be started.
func TestEditWhoseRequirementsAreMissingTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		fake := processtest.New()
		r := w.rig(t, fake)
		one := func(change ...func(*spec.Service)) []*spec.Service {
			var all []*spec.Service
			for n := 1; n <= 2; n++ {
				s := service("api", append(change, func(s *spec.Service) {
					s.Instance, s.Instances, s.ID = n, 2, Key{"api", n}.String()
				})...)
				all = append(all, s)
			}
			return all
		}
		r.apply(one()...)
		was := []process.RunID{r.want("api.1", Running).Run, r.want("api.2", Running).Run}
		r.apply(one(arg("new"), requiring("a"))...)
		for n, id := range []string{"api.1", "api.2"} {
			p := r.want(id, Running)
			if p.Run != was[n] || p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, "file a is not there") {
				t.Errorf("%s: run %v, was %v, %s: %s", id, p.Run, was[n], p.SpecState, p.RejectWhy)
			}
		}
		w.set("a", true)
		r.apply(one(arg("newer"), requiring("a"))...)
		for _, id := range []string{"api.1", "api.2"} {
			if p := r.want(id, Running); p.SpecState != SpecApplied || !slices.Contains(fake.Request(p.Run).Args, "newer") {
				t.Errorf("%s: %s, runs %q", id, p.SpecState, fake.Request(p.Run).Args)
			}
		}
	})
}

// The old run may hold the port that the new one wants.
func TestPortsAreLookedAtOnceTheOldRunIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.sup.env.require = func(_ context.Context, r spec.Requires, _ requires.Env) []requires.Unmet {
			if len(r.Ports) > 0 && len(fake.Living()) > 0 {
				return []requires.Unmet{{Key: "ports", Message: "port 8080 is taken by api, process 1001"}}
			}
			return nil
		}
		ports := func(s *spec.Service) { s.Requires.Ports = []int{8080} }
		r.apply(service("api", ports))
		r.want("api", Running)
		r.apply(service("api", ports, arg("new")))
		p := r.want("api", Running)
		if p.SpecState != SpecApplied || !slices.Contains(fake.Request(p.Run).Args, "new") {
			t.Errorf("%s %s", p.SpecState, p.RejectWhy)
		}
		r.do(Act{Verb: Restart, Names: []string{"api"}})
		r.want("api", Running)
	})
}

func TestShutdownDoesNotWaitForALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.takes = time.Hour
		r := w.rig(t, processtest.New())
		if _, err := r.sup.Begin(makeSpec(service("api", requiring("a"))), nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		at := time.Now()
		r.sup.Shutdown(t.Context(), time.Minute)
		if d := time.Since(at); d > time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestJobWaitsForWhatItRequires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		fake := processtest.New()
		r := w.rig(t, fake)
		r.apply(service("once", oneshot, requiring("a")))
		r.want("once", Waiting)
		w.set("a", true)
		settle(time.Minute)
		p := r.want("once", Running)
		fake.Exit(p.Run, 0, "")
		settle(time.Second)
		r.want("once", Exited)
	})
}

func TestDueJobThatWaitsIsNotAsDesired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("a")
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: time.Second}
		}
		r := w.rig(t, fake)
		r.apply(service("job", requiring("a"), func(s *spec.Service) {
			s.Type, s.Restart.Policy = spec.TypeScheduled, spec.RestartNo
			s.Schedule = spec.Schedule{Cron: "@daily", Overlap: spec.OverlapSkip}
		}))
		if p := r.want("job", Waiting); p.Unmet || w.count() != 0 {
			t.Errorf("before its time it was looked %d times, unmet is %v", w.count(), p.Unmet)
		}
		if out := r.do(Act{Verb: RunNow, Names: []string{"job"}}); out[0].OK {
			t.Error("a run that waits counts as done")
		}
		if p := r.want("job", Waiting); !p.Unmet || p.Reason != "requires: file a is not there" {
			t.Errorf("unmet is %v, reason %q", p.Unmet, p.Reason)
		}
		w.set("a", true)
		settle(time.Minute)
		if p := r.want("job", Waiting); p.Unmet || len(p.Runs) != 1 {
			t.Errorf("unmet is %v, runs %v", p.Unmet, p.Runs)
		}
	})
}

func TestGovernorIsAskedOnceWhatIsRequiredIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		fake := processtest.New()
		r := w.rig(t, fake)
		r.apply(service("api", requiring("a"), func(s *spec.Service) { s.Restart.Limit = 0 }))
		p := r.want("api", Running)
		r.sup.env.configure(spec.Restarts{Rate: 0.0001, Burst: 1})
		w.set("a", false)
		fake.Exit(p.Run, 1, "")
		settle(10 * time.Minute)
		if p = r.want("api", Waiting); !strings.HasPrefix(p.Reason, "requires: ") {
			t.Errorf("reason %q", p.Reason)
		}
		w.set("a", true)
		settle(time.Minute)
		r.want("api", Running)
	})
}

// A version is asked for as the service would be run: by its user, in its environment.
func TestCommandsAreAskedAsTheServiceRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: time.Second, Code: 2}
		}
		r := newRig(t, fake, nil)
		r.apply()
		v := "b"
		s := service("api", func(s *spec.Service) { s.User, s.Env = "someone", map[string]*string{"A": &v} })
		env := r.sup.env.requiresEnv(s, keyOf(s))
		path, err := env.Resolve(trueProgram)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = env.Resolve("no-such-program"); err == nil {
			t.Error("a program that is not there is found")
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, ok, err := env.Run(t.Context(), path, []string{"--version"}); ok || err != nil {
				t.Errorf("exit 2 is %v, %v", ok, err)
			}
		}()
		settle(500 * time.Millisecond)
		starts := fake.Starts()
		if len(starts) != 1 || !strings.HasPrefix(starts[0].Task, "requires.") {
			t.Fatalf("started %v", starts)
		}
		req := fake.Request(starts[0])
		if req.User != "someone" || req.Dir != s.Dir || !slices.Contains(req.Env, "A=b") || !slices.Equal(req.Args[1:], []string{"--version"}) {
			t.Errorf("asked for as %+v", req)
		}
		<-done
	})
}
