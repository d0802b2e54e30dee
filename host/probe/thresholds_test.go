package probe

import (
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

const second = time.Second

func TestNothingToAskIsReadyAtOnce(t *testing.T) {
	for name, h := range map[string]*spec.Health{"nil": nil, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.run(h)
				b.events("0s startup_passed", "0s ready")
			})
		})
	}
}

func TestStartupGatesTheOthers(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.service.set("startup", "not yet")
		b.run(&spec.Health{Startup: ask("startup", 2*second, 5), Readiness: ask("readiness", 3*second, 1), Liveness: ask("liveness", 10*second, 1)})
		b.pass(4 * second)
		b.rounds("0s startup", "2s startup", "4s startup")
		b.events()
		b.service.set("startup", "")
		b.pass(2 * second)
		b.events("6s startup_passed: exec startup", "6s ready: exec readiness")
		got := b.service.rounds()
		if len(got) != 3 || got[0] != "6s startup" {
			t.Errorf("%q; want startup, then both others at once", got)
		}
		b.pass(10 * second)
		b.rounds("9s readiness", "12s readiness", "15s readiness", "16s liveness")
	})
}

func TestStartupFailsAfterItsThreshold(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.service.set("startup", "exit code 2: cannot open db")
		b.run(&spec.Health{Startup: ask("startup", second, 3), Liveness: ask("liveness", second, 1)})
		b.pass(10 * second)
		b.events("2s startup_failed: exec startup: exit code 2: cannot open db")
		b.rounds("0s startup", "1s startup", "2s startup")
		if e := b.seen.all[0]; e.Key != "web.1#1" || e.Probe != Startup || e.Failures != 3 {
			t.Errorf("%+v", e)
		}
		if s := b.watch.Snapshot(); s.Started || s.Probes[0].Phase != Held || s.Probes[1].Phase != Gated {
			t.Errorf("%+v", s)
		}
	})
}

func TestInitialDelayCountsFromTheStart(t *testing.T) {
	inBubble(t, func(b *bubble) {
		startup, readiness, liveness := ask("startup", second, 3), ask("readiness", 60*second, 1), ask("liveness", 60*second, 1)
		startup.InitialDelay, readiness.InitialDelay, liveness.InitialDelay = 5*second, 3*second, 20*second
		b.run(&spec.Health{Startup: startup, Readiness: readiness, Liveness: liveness})
		b.pass(30 * second)
		b.rounds("5s startup", "5s readiness", "20s liveness")
	})
}

func TestReadinessFlipsByItsThresholds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		p := ask("readiness", second, 3)
		p.SuccessThreshold = 2
		b.run(&spec.Health{Readiness: p})
		b.pass(0)
		b.events("0s startup_passed")
		b.pass(second)
		b.events("1s ready: exec readiness")
		b.service.set("readiness", "busy")
		b.pass(2 * second) // twice is not enough
		b.service.set("readiness", "")
		b.pass(second)
		b.service.set("readiness", "busy")
		b.pass(2 * second)
		b.events()
		b.pass(second)
		b.events("7s not_ready: exec readiness: busy")
		b.pass(10 * second)
		b.events()
		b.service.set("readiness", "")
		b.pass(second)
		b.events()
		b.pass(second)
		b.events("19s ready: exec readiness")
	})
}

func TestReadinessThatNeverCameIsToldOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.service.set("readiness", "no")
		b.run(&spec.Health{Readiness: ask("readiness", second, 3)})
		b.pass(10 * second)
		b.events("0s startup_passed", "2s not_ready: exec readiness: no")
	})
}

func TestLivenessFailsOnceAndIsHeld(t *testing.T) {
	inBubble(t, func(b *bubble) {
		p := ask("liveness", 10*second, 3)
		p.SuccessThreshold = 5 // of no meaning here: one success is enough
		b.run(&spec.Health{Liveness: p})
		b.pass(0)
		b.events("0s startup_passed", "0s ready")
		b.service.set("liveness", "dead")
		b.pass(20 * second)
		b.service.set("liveness", "")
		b.pass(10 * second)
		b.service.set("liveness", "dead")
		b.pass(20 * second)
		b.events()
		b.pass(10 * second)
		b.events("1m0s liveness_failed: exec liveness: dead")
		b.service.rounds()
		b.pass(time.Hour)
		b.events()
		b.rounds()
	})
}

func TestTimeoutIsNamed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.slow("liveness", time.Hour)
		p := ask("liveness", 5*second, 2)
		p.Timeout = 3 * second
		b.run(&spec.Health{Liveness: p})
		b.pass(10 * second)
		b.events("0s startup_passed", "0s ready", "8s liveness_failed: exec liveness: not done after 3s")
		s := b.watch.Snapshot().Probes[0]
		if s.Duration != 3*second || s.Rounds != 2 || s.Failed != 2 || s.Failures != 2 || s.Result != Failure || !s.At.Equal(b.begin.Add(8*second)) {
			t.Errorf("%+v", s)
		}
	})
}

func TestRoundsOfOneProbeNeverOverlap(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.slow("readiness", 2500*time.Millisecond)
		p := ask("readiness", second, 100)
		p.Timeout = time.Minute
		b.run(&spec.Health{Readiness: p})
		b.pass(10 * second)
		b.rounds("0s readiness", "2.5s readiness", "5s readiness", "7.5s readiness", "10s readiness")
		q := *p
		q.Exec = []string{"readiness", "--deep"} // another question while the first is asked
		b.watch.Apply(&spec.Health{Readiness: &q})
		b.pass(10 * second)
		if b.most != 1 {
			t.Errorf("%d at once", b.most)
		}
	})
}

func TestLongRoundIsFollowedByOneRoundNotMany(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.slow("readiness", 5500*time.Millisecond)
		p := ask("readiness", second, 100)
		p.Timeout = time.Minute
		b.run(&spec.Health{Readiness: p})
		b.pass(second)
		b.slow("readiness", 0)
		b.pass(7 * second)
		b.rounds("0s readiness", "5.5s readiness", "6.5s readiness", "7.5s readiness")
	})
}

func TestStartupPassesWithOneSuccess(t *testing.T) {
	inBubble(t, func(b *bubble) {
		p := ask("startup", second, 3)
		p.SuccessThreshold = 5
		b.run(&spec.Health{Startup: p})
		b.events("0s startup_passed: exec startup", "0s ready")
	})
}

func TestEventsThatWaitedAreDroppedByStop(t *testing.T) {
	inBubble(t, func(b *bubble) {
		gate := make(chan struct{})
		w := b.set.Watch(Run{}, nil, func(e Event) {
			b.seen.report(e)
			<-gate
		})
		synctest.Wait() // startup_passed is being reported
		w.Notify(Message{Trigger: true})
		w.Stop()
		close(gate)
		b.events("0s startup_passed")
	})
}

func TestStopEndsEverything(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.slow("liveness", time.Hour)
		p := ask("liveness", second, 1)
		p.Timeout = time.Hour
		b.run(&spec.Health{Liveness: p, Readiness: ask("readiness", second, 1)})
		b.pass(1500 * time.Millisecond)
		b.watch.Stop()
		b.pass(0)
		if b.active["liveness"] != 0 {
			t.Error("what is asked is not given up")
		}
		b.seen.take()
		b.service.rounds()
		b.service.set("readiness", "gone")
		b.pass(time.Hour)
		b.events()
		b.rounds()
		b.watch.Apply(&spec.Health{})
		b.watch.Notify(Message{Ready: true, Trigger: true})
		b.watch.Resume()
		b.events()
	})
}
