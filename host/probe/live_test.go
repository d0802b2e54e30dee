package probe

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

func TestApplyTakesPeriodsAndThresholdsOver(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.service.set("liveness", "dead")
		b.run(&spec.Health{Liveness: ask("liveness", 10*second, 5)})
		b.pass(12 * second) // 0 and 10: two failures
		b.service.rounds()
		b.watch.Apply(&spec.Health{Liveness: ask("liveness", 4*second, 4)})
		b.pass(4 * second)
		b.rounds("14s liveness")
		b.events("0s startup_passed", "0s ready")
		b.pass(4 * second)
		b.events("18s liveness_failed: exec liveness: dead")
	})
}

func TestApplyOfLowerThresholdCountsWhatWasSeen(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.service.set("readiness", "busy")
		b.run(&spec.Health{Readiness: ask("readiness", 10*second, 100)})
		b.pass(31 * second)
		b.watch.Apply(&spec.Health{Readiness: ask("readiness", 10*second, 3)})
		b.pass(9 * second)
		b.events("0s startup_passed", "40s not_ready: exec readiness: busy")
	})
}

func TestApplyOfAnotherQuestionKeepsTheResultUntilItIsAnswered(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Readiness: ask("readiness", 10*second, 3)})
		b.pass(second)
		b.events("0s startup_passed", "0s ready: exec readiness")
		b.service.set("deep", "no index")
		b.watch.Apply(&spec.Health{Readiness: ask("deep", 10*second, 2)})
		b.pass(9 * second)
		b.events()
		if !b.watch.Snapshot().Ready {
			t.Error("not ready before the new question was answered")
		}
		b.pass(10 * second)
		b.events("11s not_ready: exec deep: no index")
	})
}

func TestApplyAddsAndRemovesProbes(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.service.set("startup", "never")
		b.service.set("readiness", "never")
		b.run(&spec.Health{Startup: ask("startup", second, 100)})
		b.pass(5500 * time.Millisecond)
		b.events()
		b.watch.Apply(&spec.Health{Readiness: ask("readiness", second, 3)})
		b.pass(2 * second)
		b.events("5.5s startup_passed", "7.5s not_ready: exec readiness: never")
		b.watch.Apply(nil)
		b.events("7.5s ready")
		b.service.rounds()
		b.pass(time.Minute)
		b.rounds()
		b.watch.Apply(&spec.Health{Startup: ask("startup", second, 1), Liveness: ask("liveness", 30*second, 1)})
		b.pass(10 * second)
		b.rounds("1m7.5s liveness") // it has started: a startup probe is for the next run
		if s := b.watch.Snapshot(); s.Probes[0].Phase != Done {
			t.Errorf("%+v", s.Probes[0])
		}
	})
}

func TestPauseHoldsWhatWouldRestart(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Readiness: ask("readiness", second, 1), Liveness: ask("liveness", second, 3)})
		b.pass(0)
		b.seen.take()
		b.watch.Pause()
		b.service.set("readiness", "in maintenance")
		b.service.set("liveness", "in maintenance")
		b.pass(10 * second)
		b.events("1s not_ready: exec readiness: in maintenance")
		if s := b.watch.Snapshot(); !s.Paused || s.Probes[1].Failures != 10 {
			t.Errorf("%+v", s)
		}
		b.watch.Resume()
		b.pass(2 * second)
		b.events() // counted anew
		b.pass(second)
		b.events("13s liveness_failed: exec liveness: in maintenance")
	})
}

func TestPausedStartupFailsOnlyAfterResume(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.service.set("startup", "no")
		b.run(&spec.Health{Startup: ask("startup", second, 3)})
		b.watch.Pause()
		b.pass(10 * second)
		b.events()
		b.watch.Resume()
		b.pass(3 * second)
		b.events("13s startup_failed: exec startup: no")
		b.watch.Resume() // the supervisor let it live: it is asked again
		b.service.set("startup", "")
		b.pass(second)
		b.events("13s startup_passed: exec startup", "13s ready")
	})
}

// While the machine sleeps its timers stand still and its clock goes on.
func TestRoundsThatTheHostDelayedAreDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, service: newService(), seen: &recorder{begin: time.Now()}}
		b.set = NewSet(Options{Rand: func() float64 { return 1 }})
		defer b.set.Close()
		var asleep time.Duration
		b.set.wall = func() time.Time { return time.Now().Add(asleep) }
		b.run(&spec.Health{Liveness: ask("liveness", 10*second, 1)})
		b.pass(5 * second)
		b.seen.take()
		b.service.set("liveness", "connection reset by the sleep")
		b.set.mu.Lock()
		asleep = time.Hour
		b.set.mu.Unlock()
		b.pass(5 * second)
		b.events()
		s := b.watch.Snapshot().Probes[0]
		if s.Discarded != 1 || s.Failures != 0 || s.Discard != "it began 1h late: the machine slept or stood still" {
			t.Errorf("%+v", s)
		}
		b.pass(10 * second) // the next one counts
		b.events("20s liveness_failed: exec liveness: connection reset by the sleep")
	})
}

func TestLostRoundsAreTold(t *testing.T) {
	network := &prober{kind: "tcp"}
	program := &prober{kind: "exec"}
	for _, c := range []struct {
		name              string
		p                 *prober
		late              time.Duration
		took, wall, fired time.Duration
		want              string
	}{
		{"in time", network, 10 * time.Millisecond, second, second, 0, ""},
		{"a bit late", network, 2 * second, second, second, 0, ""},
		{"late", network, 3 * second, second, second, 0, "it began 3s late: the machine slept or stood still"},
		{"asleep while asked", network, 0, second, time.Minute, 0, "the clock jumped by 59s meanwhile"},
		{"clock set back", network, 0, second, -time.Minute, 0, "the clock jumped by 1m1s meanwhile"},
		{"halted while asked", network, 0, 5 * second, 5 * second, 0, "its timeout came 4s late: the machine slept or stood still"},
		{"a program slow to be ended", program, 0, 5 * second, 5 * second, 0, ""},
		{"halted while a program ran", program, 0, 5 * second, 5 * second, 4 * second, "its timeout came 4s late: the machine slept or stood still"},
	} {
		r := &round{p: c.p, late: c.late, timeout: second, period: 10 * second}
		if got := lostText(r, c.took, c.wall, c.fired); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWorkersAreBoundedAndWaitingIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		seen := &recorder{begin: time.Now()}
		set := NewSet(Options{Workers: 4, Programs: 2, Rand: func() float64 { return 1 }})
		defer set.Close()
		s.slow("liveness", 900*time.Millisecond)
		for n := range 10 {
			set.Watch(Run{Key: fmt.Sprint(n), Exec: s.exec}, &spec.Health{Liveness: ask("liveness", 10*second, 1)}, seen.report)
		}
		time.Sleep(9 * second)
		synctest.Wait()
		if s.most != 2 {
			t.Errorf("%d programs at once, want 2", s.most)
		}
		if got := len(s.rounds()); got != 10 {
			t.Errorf("%d rounds, want 10", got)
		}
		for _, e := range seen.all {
			if e.Kind == LivenessFailed {
				t.Errorf("a round that had to wait failed: %+v", e)
			}
		}
	})
}

func TestPhasesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		next := 0.0
		set := NewSet(Options{Workers: 1000, Programs: 1000, Rand: func() float64 { next += 0.01; return next - 0.01 }})
		defer set.Close()
		for range 100 {
			set.Watch(Run{Exec: s.exec}, &spec.Health{Liveness: ask("liveness", 10*second, 1)}, func(Event) {})
		}
		time.Sleep(20 * second)
		synctest.Wait()
		s.rounds()
		time.Sleep(10 * second)
		synctest.Wait()
		times := map[string]int{}
		for _, r := range s.rounds() {
			times[r]++
		}
		for at, n := range times {
			if n > 7 { // those within a twentieth of the period begin together, and they are spread over three quarters of it
				t.Errorf("%d of 100 probes are asked at once: %s", n, at)
			}
		}
	})
}

func TestSpreadNeverPutsARoundOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, service: newService(), seen: &recorder{begin: time.Now()}}
		b.set = NewSet(Options{Rand: func() float64 { return 0 }})
		defer b.set.Close()
		b.run(&spec.Health{Readiness: ask("readiness", 8*second, 1)})
		b.pass(20 * second)
		b.rounds("0s readiness", "2s readiness", "10s readiness", "18s readiness")
	})
}

// Rounds that are due nearly together are begun together, and their rhythm does not drift by it.
func TestRoundsThatAreDueSoonAreBegunTogether(t *testing.T) {
	inBubble(t, func(b *bubble) {
		late := ask("late", 10*second, 1)
		late.InitialDelay = 50 * time.Millisecond
		b.run(&spec.Health{Readiness: ask("readiness", 10*second, 1), Liveness: late})
		b.pass(31 * second)
		got := b.service.rounds()
		slices.Sort(got)
		want := []string{"0s readiness", "10s late", "10s readiness", "20s late", "20s readiness", "30s late", "30s readiness", "50ms late"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if next := b.watch.Snapshot().Probes[1].Next; !next.Equal(b.begin.Add(40050 * time.Millisecond)) {
			t.Errorf("it drifted to %v", next.Sub(b.begin))
		}
	})
}

func TestEventsOfOneRunComeInOrder(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Startup: ask("startup", second, 1), Readiness: ask("readiness", second, 1), Liveness: ask("liveness", second, 1)})
		b.pass(second)
		b.service.set("readiness", "x")
		b.service.set("liveness", "y")
		b.pass(second)
		var kinds []EventKind
		for _, e := range b.seen.all {
			kinds = append(kinds, e.Kind)
		}
		if len(kinds) != 4 || kinds[0] != StartupPassed || kinds[1] != Ready || !slices.Contains(kinds, NotReady) || !slices.Contains(kinds, LivenessFailed) {
			t.Errorf("%q", kinds)
		}
	})
}
