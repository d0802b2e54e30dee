package probe

import (
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

func quiet(kind, re string, period time.Duration, failures int) *spec.Probe {
	p := &spec.Probe{Period: period, Timeout: second, SuccessThreshold: 1, FailureThreshold: failures}
	if kind == "log" {
		p.Log = re
	} else {
		p.Notify = true
	}
	return p
}

func TestLogProbePassesWithTheLine(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Startup: quiet("log", `^listening on \d+`, 10*second, 3), Readiness: quiet("log", `^ready`, 10*second, 3)})
		if !b.watch.WantsLines() {
			t.Fatal("no lines wanted")
		}
		b.pass(3 * second)
		b.watch.Line([]byte("not listening on 80"))
		b.events()
		b.watch.Line([]byte("ready"))
		b.events()
		b.pass(second)
		b.watch.Line([]byte("listening on 80"))
		b.events(`4s startup_passed: log "^listening on \\d+"`, `4s ready: log "^ready"`)
		if b.watch.WantsLines() {
			t.Error("lines are looked at for nothing")
		}
		b.pass(time.Hour)
		b.events()
		if s := b.watch.Snapshot().Probes; s[0].Phase != Done || s[1].Phase != Done {
			t.Errorf("%+v", s)
		}
	})
}

func TestLogProbeWithoutTheLineFails(t *testing.T) {
	inBubble(t, func(b *bubble) {
		p := quiet("log", "up", 2*second, 3)
		p.InitialDelay = second
		b.run(&spec.Health{Startup: p})
		b.pass(10 * second)
		b.events(`5s startup_failed: log "up": no line matched yet`)
	})
}

func TestLineBeforeTheInitialDelayCounts(t *testing.T) {
	inBubble(t, func(b *bubble) {
		p := quiet("log", "up", 2*second, 3)
		p.InitialDelay = 5 * second
		b.run(&spec.Health{Startup: p})
		b.watch.Line([]byte("up"))
		b.pass(4 * second)
		b.events()
		b.pass(second)
		b.events(`5s startup_passed: log "up"`, "5s ready")
	})
}

func TestLogLivenessNeedsALineInEachPeriod(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Liveness: quiet("log", "tick", 16*second, 2)})
		b.pass(0)
		b.seen.take()
		for range 20 { // one line each period keeps it alive for ever
			b.pass(16 * second)
			b.watch.Line([]byte("tick"))
		}
		b.events()
		b.pass(17 * second) // one failure
		b.watch.Line([]byte("tick"))
		b.pass(30 * second)
		b.events()
		b.pass(4 * second)
		b.events(`6m10s liveness_failed: log "tick": no line matched for 33s`)
	})
}

func TestLinesAreNotLookedAtMoreThanNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := NewSet(Options{})
		defer set.Close()
		w := set.Watch(Run{}, &spec.Health{Liveness: quiet("log", "tick", 16*second, 2)}, func(Event) {})
		h := w.probes[2].heart
		w.Line([]byte("tick"))
		first := h.beat.Load()
		time.Sleep(second / 2)
		w.Line([]byte("tick"))
		if h.beat.Load() != first {
			t.Error("a line right after one that matched was looked at")
		}
		time.Sleep(second)
		w.Line([]byte("tick"))
		if h.beat.Load() == first {
			t.Error("a later line was not")
		}
	})
}

func TestNotifyProbes(t *testing.T) {
	inBubble(t, func(b *bubble) {
		n := func() *spec.Probe { return quiet("notify", "", 10*second, 1) }
		startup := n()
		startup.FailureThreshold = 3
		b.run(&spec.Health{Startup: startup, Readiness: n(), Liveness: n()})
		b.pass(3 * second)
		text := "loading"
		b.watch.Notify(Message{Status: &text})
		b.events()
		b.watch.Notify(Message{Ready: true, Watchdog: true})
		b.events("3s startup_passed: notify", "3s ready: notify")
		for range 10 {
			b.pass(9 * second)
			b.watch.Notify(Message{Watchdog: true})
		}
		b.events()
		b.pass(10 * second)
		b.events("1m43s liveness_failed: notify: no WATCHDOG=1 for 10s")
		if s := b.watch.Snapshot(); s.Told.Status != "loading" {
			t.Errorf("%+v", s.Told)
		}
	})
}

func TestWatchdogBeginsWhenItHasStarted(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Startup: quiet("notify", "", 10*second, 10), Liveness: quiet("notify", "", 10*second, 1)})
		b.pass(50 * second)
		b.events()
		b.watch.Notify(Message{Ready: true})
		b.pass(9 * second)
		b.events("50s startup_passed: notify", "50s ready")
		b.pass(second)
		b.events("1m0s liveness_failed: notify: no WATCHDOG=1 for 10s")
	})
}

func TestWatchdogPeriodOfTheProgramCounts(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Liveness: quiet("notify", "", 10*second, 1)})
		b.pass(second)
		b.watch.Notify(Message{WatchdogPeriod: 30 * second})
		b.pass(29 * second)
		b.events("0s startup_passed", "0s ready")
		b.pass(second)
		b.events("31s liveness_failed: notify: no WATCHDOG=1 for 30s")
	})
}

func TestTriggerFailsLivenessAtOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Liveness: ask("liveness", 10*second, 3), Readiness: quiet("notify", "", 10*second, 3)})
		b.pass(second)
		b.seen.take()
		b.watch.Pause()
		b.watch.Notify(Message{Trigger: true})
		b.events()
		b.watch.Resume()
		b.watch.Notify(Message{Trigger: true})
		b.watch.Notify(Message{Trigger: true})
		b.events("1s liveness_failed: notify: the program said WATCHDOG=trigger")
		b.service.rounds()
		b.pass(time.Hour)
		b.rounds()
	})
}

func TestStartThatIsExtendedDoesNotFail(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Startup: quiet("notify", "", second, 3)})
		b.pass(second)
		b.watch.Notify(Message{Extend: 10 * second})
		b.pass(9500 * time.Millisecond)
		b.events("1s program_told")
		b.pass(second)
		b.events("11s startup_failed: notify: no READY=1 yet")
	})
}

func TestStoppingTakesReadinessBack(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Readiness: quiet("notify", "", 10*second, 3)})
		b.watch.Notify(Message{Ready: true, MainPID: 7})
		b.events("0s startup_passed", "0s program_told", "0s ready: notify")
		b.watch.Notify(Message{Reloading: true})
		b.events("0s program_told")
		b.watch.Notify(Message{Ready: true, MainPID: 7})
		b.events("0s program_told")
		b.pass(second)
		b.watch.Notify(Message{Stopping: true})
		b.events("1s program_told", "1s not_ready: notify: the program said STOPPING=1")
		b.watch.Notify(Message{Ready: true})
		b.events("1s program_told", "1s ready: notify")
		if told := b.watch.Snapshot().Told; told.MainPID != 7 || told.Stopping || told.Reloading {
			t.Errorf("%+v", told)
		}
	})
}

func TestSleepIsNoMissingBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, service: newService(), seen: &recorder{begin: time.Now()}}
		b.set = NewSet(Options{})
		defer b.set.Close()
		var asleep time.Duration
		b.set.wall = func() time.Time { return time.Now().Add(asleep) }
		b.run(&spec.Health{Liveness: quiet("notify", "", 10*second, 1)})
		b.pass(5 * second)
		b.seen.take()
		b.set.mu.Lock()
		asleep = time.Hour
		b.set.mu.Unlock()
		b.pass(14 * second)
		b.events()
		b.pass(second)
		b.events("20s liveness_failed: notify: no WATCHDOG=1 for 10s")
	})
}
