package supervisor

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

const leak = "threshold crossed: memory 450MiB"

func TestRestartFromOutsideGoesByThePolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"), service("once", func(s *spec.Service) { s.Restart.Policy = spec.RestartNo }))
		settle(time.Minute)
		first := r.snap("api").Run
		r.sup.RestartRun(first, leak)
		r.sup.RestartRun(r.snap("once").Run, leak)
		settle(100 * time.Millisecond)
		if p := r.want("api", Backoff); !strings.Contains(p.Reason, leak) {
			t.Errorf("reason %q", p.Reason)
		}
		r.want("once", Failed)
		settle(time.Minute)
		if p := r.want("api", Running); p.Restarts != 1 {
			t.Errorf("%d restarts", p.Restarts)
		}
		r.mu.Lock()
		for _, e := range r.events {
			if e.ID == "api" && e.To == string(Stopping) && (e.Reason != leak || e.Details[journal.DetailCause] != journal.CauseThreshold) {
				t.Errorf("told %+v", e)
			}
		}
		r.mu.Unlock()

		r.sup.RestartRun(first, leak) // that one is long over
		settle(time.Minute)
		if p := r.want("api", Running); p.Restarts != 1 {
			t.Errorf("%d restarts", p.Restarts)
		}
	})
}

func TestPausedHostHoldsARestartFromOutsideBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"), service("calm"))
		settle(time.Minute)
		if err := r.sup.Pause(true); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"api", "calm"} {
			r.sup.RestartRun(r.snap(id).Run, leak)
		}
		settle(time.Hour)
		r.want("api", Running)
		r.sup.KeepRun(r.snap("calm").Run) // it is below again
		if err := r.sup.Pause(false); err != nil {
			t.Fatal(err)
		}
		settle(10 * time.Millisecond)
		r.want("api", Backoff)
		r.want("calm", Running)
	})
}

func TestStoppedServiceIsNotRestartedFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		run := r.snap("api").Run
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		r.sup.RestartRun(run, leak)
		settle(time.Hour)
		r.want("api", Stopped)
	})
}

func TestLeakingChangeGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		settle(time.Minute)
		if _, err := r.sup.Begin(makeSpec(service("api", arg("leaks"))), nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		r.sup.RestartRun(r.snap("api").Run, leak)
		settle(time.Minute)
		if p := r.want("api", Running); p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, leak) {
			t.Errorf("%s: %q", p.SpecState, p.RejectWhy)
		}
	})
}

func TestActionBesideARunIsToldWhatItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(kind string) processtest.Behavior {
			if kind == "run" {
				return processtest.Behavior{}
			}
			return processtest.Behavior{ExitAfter: time.Second}
		})
		r := newRig(t, e.Fake, nil)
		r.apply(service("api"))
		settle(time.Minute)
		r.sup.RunAction(r.snap("api").Run, "threshold", spec.Action{Exec: []string{trueProgram}}, []string{"HOST_MEASURE=memory"})
		settle(time.Minute)
		if m, h := e.told("threshold", "HOST_MEASURE"), e.told("threshold", "HOST_HOOK"); m != "memory" || h != "threshold" {
			t.Errorf("told %q %q", m, h)
		}
		r.want("api", Running)
	})
}

// listener sees lines.
type listener struct{ lines chan string }

func (l listener) Take(r logs.Record) { l.lines <- string(r.Text) }

func TestSpecInForceIsToldAndItsLinesAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		var told []string
		seen := listener{make(chan string, 10)}
		r.sup.env.inForce = func(s *spec.Service) logs.Sink {
			r.mu.Lock()
			defer r.mu.Unlock()
			told = append(told, strings.Join(s.Command[1:], " "))
			if len(s.Command) == 1 {
				return seen
			}
			return nil
		}
		r.apply(service("api"))
		settle(time.Minute)
		say := func(text string) {
			sink, end := r.sup.instance(Key{"api", 1}).log.Beside()
			sink([]byte(text + "\n"))
			end()
		}
		say("first")
		r.apply(service("api", arg("new")))
		settle(time.Minute)
		say("nobody listens")
		if got := <-seen.lines; got != "first" || len(seen.lines) > 0 {
			t.Errorf("saw %q and %d more", got, len(seen.lines))
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if !slices.Equal(told, []string{"", "new"}) {
			t.Errorf("told %q", told)
		}
	})
}
