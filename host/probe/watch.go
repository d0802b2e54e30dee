package probe

import (
	"context"
	"sync/atomic"
	"time"

	"servicehost/spec"
)

// Watch asks the probes of one run. Its methods may be called from any goroutine and do not block.
type Watch struct {
	set     *Set
	run     Run
	report  func(Event)
	ctx     context.Context
	cancel  context.CancelFunc
	stopped atomic.Bool
	lines   atomic.Pointer[[]lineMatch]

	// The rest belongs to the lock of the Set.
	probes  [3]*prober // by the order of roles
	started bool
	failed  bool // startup failed: nothing is asked
	ready   Result
	paused  bool
	told    Told
}

var roles = [...]Role{Startup, Readiness, Liveness}

func questions(h *spec.Health) [3]*spec.Probe {
	if h == nil {
		return [3]*spec.Probe{}
	}
	return [3]*spec.Probe{h.Startup, h.Readiness, h.Liveness}
}

// Apply takes another spec over without a restart. Periods, timeouts and thresholds count from now on, with the
// answers so far. Another question begins anew; until it is answered the present result stays. A startup probe
// that comes to a run which has started is left to the next run.
func (w *Watch) Apply(h *spec.Health) {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	if !w.stopped.Load() {
		w.apply(h)
	}
}

// apply is Apply with the lock held.
func (w *Watch) apply(h *spec.Health) {
	now := time.Now()
	for n, q := range questions(h) {
		p := w.probes[n]
		switch {
		case q == nil && p == nil:
		case q == nil:
			p.close()
			p.done = true
			w.probes[n] = nil
		case p == nil || !sameQuestion(p.given, *q):
			fresh := newProber(w, roles[n], *q)
			if p != nil {
				fresh.replace(p)
			}
			w.probes[n] = fresh
		default:
			p.retime(*q, now)
		}
	}
	w.listen()
	if !w.started && !w.failed && w.probes[0] == nil {
		w.start("")
	}
	if w.started && w.probes[1] == nil {
		w.becomeReady(Success, Event{Kind: Ready})
	}
	w.openAll(now)
}

// openAll lets those begin that may. Called with the lock held.
func (w *Watch) openAll(now time.Time) {
	for _, p := range w.probes {
		if p != nil {
			p.open(now)
		}
	}
}

// replace has a new question go on in place of an old one.
func (p *prober) replace(old *prober) {
	old.close()
	old.done = true
	if old.role == Startup {
		old.watch.failed = false
	}
	if old.asking {
		// It begins once the old one has let go, so that no two rounds of a probe overlap.
		p.asking = true
		old.heir = p
	}
	p.passed, p.spread = old.passed, old.spread
	p.status = old.status
	p.status.At, p.status.Duration = time.Time{}, 0
	p.status.Result = ""
}

// retime takes periods and thresholds over. Called with the lock held.
func (p *prober) retime(q spec.Probe, now time.Time) {
	before := p.probe
	p.given = q
	p.probe = withDefaults(q, p.role)
	p.probe.HTTP, p.probe.TCP, p.probe.Exec, p.probe.File = before.HTTP, before.TCP, before.Exec, before.File
	if f, ok := p.asker.(*fileAsker); ok {
		p.asker = &fileAsker{path: f.path, within: p.probe.Period, since: f.since, busy: f.busy}
	}
	if p.index < 0 || p.early > 0 {
		return
	}
	at := p.due.Add(p.probe.Period - before.Period)
	if p.status.Rounds+p.status.Discarded == 0 && !(p.passive() && p.role == Liveness) {
		at = p.first()
	}
	p.watch.set.plan(p, later(at, now))
}

// start lets readiness and liveness begin. Called with the lock held.
func (w *Watch) start(reason string) {
	w.started = true
	w.set.tell(w, Event{Kind: StartupPassed, Probe: roleIf(reason != "", Startup), Reason: reason})
}

func roleIf(yes bool, r Role) Role {
	if yes {
		return r
	}
	return ""
}

func (w *Watch) becomeReady(r Result, e Event) {
	if w.ready != r {
		w.ready = r
		w.set.tell(w, e)
	}
}

// reached draws the conclusion from as many equal answers as the spec asks for. Called with the lock held.
func (w *Watch) reached(p *prober, verdict Result, now time.Time) {
	e := Event{Probe: p.role, Reason: p.name}
	if verdict == Failure {
		e.Reason, e.Failures = p.status.Error, p.tally.run
	}
	switch {
	case p.role == Startup && verdict == Success:
		w.set.unplan(p)
		w.start(p.name)
		if w.probes[1] == nil {
			w.becomeReady(Success, Event{Kind: Ready})
		}
		w.openAll(now)
	case p.role == Startup:
		if w.paused || now.Before(w.told.ExtendedUntil) {
			return
		}
		w.failed = true
		p.hold()
		e.Kind = StartupFailed
		w.set.tell(w, e)
	case p.role == Readiness && verdict == Success:
		e.Kind = Ready
		w.becomeReady(Success, e)
		if p.passive() { // what was said once stays said
			w.set.unplan(p)
			p.done = true
		}
	case p.role == Readiness:
		e.Kind = NotReady
		w.becomeReady(Failure, e)
	case verdict == Failure:
		if w.paused {
			return
		}
		p.hold()
		e.Kind = LivenessFailed
		w.set.tell(w, e)
	}
}

// hold stops asking what failed for good. Called with the lock held.
func (p *prober) hold() {
	p.held = true
	p.watch.set.unplan(p)
}

// Pause keeps asking, so that readiness and Snapshot stay true, and holds what would have the run restarted:
// StartupFailed and LivenessFailed.
func (w *Watch) Pause() {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.paused = true
}

// Resume ends a pause. Failures of startup and liveness are counted anew: what failed in the pause is not held
// against the run. What was held since its failure is asked again.
func (w *Watch) Resume() {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.paused = false
	if w.stopped.Load() {
		return
	}
	now := time.Now()
	w.failed = false
	for _, p := range w.probes {
		if p == nil || p.role == Readiness {
			continue
		}
		p.held = false
		p.tally = tally{}
		if p.passive() && p.role == Liveness {
			p.heart.base = w.clock(now)
			w.set.unplan(p)
		}
	}
	w.openAll(now)
}

// Stop ends the asking. No event is reported after it, except one that is just being reported.
func (w *Watch) Stop() {
	w.stopped.Store(true)
	w.cancel()
	w.lines.Store(nil)
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	for _, p := range w.probes {
		if p != nil {
			p.close()
		}
	}
}

// Snapshot is what is known just now.
func (w *Watch) Snapshot() Snapshot {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	s := Snapshot{Started: w.started, Ready: w.ready == Success, Paused: w.paused, Told: w.told}
	for _, p := range w.probes {
		if p != nil {
			s.Probes = append(s.Probes, p.snapshot())
		}
	}
	return s
}

// clock is a moment on the clock of the run, which never stands at 0.
func (w *Watch) clock(t time.Time) int64 { return int64(t.Sub(w.run.Started)) + 1 }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
