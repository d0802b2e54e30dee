package probe

import "time"

// Notify takes a message that the program sent by sd_notify. It may be called by several goroutines.
func (w *Watch) Notify(m Message) {
	s := w.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.stopped.Load() {
		return
	}
	now := time.Now()
	tell := false
	if m.Status != nil {
		w.told.Status = *m.Status
	}
	if m.Errno != 0 {
		w.told.Errno = m.Errno
	}
	if m.MainPID != 0 && m.MainPID != w.told.MainPID {
		w.told.MainPID, tell = m.MainPID, true
	}
	if m.Extend > 0 {
		w.told.ExtendedUntil, tell = now.Add(m.Extend), true
	}
	if m.Reloading && !w.told.Reloading {
		w.told.Reloading, tell = true, true
	}
	stopping := m.Stopping && !w.told.Stopping
	if stopping {
		w.told.Stopping, tell = true, true
	}
	if m.Ready {
		tell = tell || w.told.Reloading || w.told.Stopping
		w.told.Reloading, w.told.Stopping = false, false
	}
	if tell {
		s.tell(w, Event{Kind: ProgramTold, Message: m})
	}
	if stopping {
		w.unsay()
	}
	if m.Ready {
		for _, p := range w.probes[:2] {
			if p != nil && p.kind == "notify" && !p.heart.seen.Swap(true) {
				w.judgeSoon(p)
			}
		}
	}
	if p := w.probes[2]; p != nil && p.kind == "notify" {
		if m.Watchdog {
			p.heart.beat.Store(w.clock(now))
		}
		if m.WatchdogPeriod > 0 {
			p.probe.Period = max(m.WatchdogPeriod, shortestPeriod)
			p.heart.base = max(p.heart.base, w.clock(now))
			if p.index >= 0 {
				s.plan(p, now.Add(p.allowed()))
			}
		}
	}
	if m.Trigger {
		w.trigger()
	}
}

// unsay takes readiness back: the program is on its way out. Called with the lock held.
func (w *Watch) unsay() {
	p := w.probes[1]
	if p == nil || p.kind != "notify" || !p.heart.seen.Swap(false) {
		return
	}
	p.done = false
	p.tally = tally{}
	if w.ready == Success {
		w.becomeReady(Failure, Event{Kind: NotReady, Probe: Readiness, Reason: "notify: the program said STOPPING=1", Failures: 1})
	}
	w.openAll(time.Now())
}

// trigger is a program that knows by itself that it should be restarted. Called with the lock held.
func (w *Watch) trigger() {
	p := w.probes[2]
	if w.paused || w.failed || p != nil && p.held {
		return
	}
	const reason = "notify: the program said WATCHDOG=trigger"
	if p != nil {
		p.close()
		p.held = true
		p.status.Error, p.status.ErrorAt = reason, time.Now()
	}
	w.set.tell(w, Event{Kind: LivenessFailed, Probe: Liveness, Reason: reason, Failures: 1})
}
