package forward

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"servicehost/spec"
)

const (
	// linger is how long a record waits for others to go with it.
	linger = 500 * time.Millisecond
	// spillAfter is the age at which what the target has not taken is written to the spool.
	spillAfter = time.Second
	// spillBytes is how much may wait in memory before it is written earlier.
	spillBytes = intakeBytes / 4
	// spoolRetry is the time between two tries to write to a spool that could not be written.
	spoolRetry = time.Second
	// idleAfter is how long after the last record memory is given back.
	idleAfter = 5 * time.Second
	// tellEvery is the least time between two events about lost records.
	tellEvery = time.Minute
)

// target is one target. What is not said to be shared belongs to the goroutine of run.
type target struct {
	name   string
	o      *Options
	wanted spec.LogTarget // belongs to the hub
	in     intake
	before <-chan struct{} // the spool is free when this is closed; nil: it is
	wake   chan struct{}
	change chan spec.LogTarget
	ending chan time.Time // what is in memory may be sent until then
	done   chan struct{}
	dial   func(peer) (transport, error)

	cfg       spec.LogTarget
	tr        transport
	spool     *spool    // nil: memory only
	spoolAt   time.Time // it is not to be written before: it could not be
	spoolTold time.Time
	spoolBad  bool // and an event said so

	held    *batch // to be sent next, and in memory only or in part
	flying  *batch // being sent
	land    chan outcome
	abort   context.CancelFunc
	aborted bool // the failure of the request is our own doing
	rs      []record
	busy    time.Time // when something last happened
	rested  bool

	fails   int
	retryAt time.Time
	closing bool
	until   time.Time

	lost lostRecords

	sentRecords, sentBytes, dropped, droppedBytes atomic.Int64

	mu    sync.Mutex // of what follows
	shown Stats
}

func newTarget(name string, cfg spec.LogTarget, o *Options, before <-chan struct{}) *target {
	t := &target{
		name: name, o: o, wanted: cfg, cfg: cfg, before: before, dial: newTransport,
		wake: make(chan struct{}, 1), change: make(chan spec.LogTarget, 1), ending: make(chan time.Time, 1),
		done: make(chan struct{}), land: make(chan outcome, 1),
	}
	t.in.wake = t.wake
	t.shown = Stats{State: StateOK, Since: time.Now()}
	return t
}

// changeTo hands over a newer spec of the target; one that was not yet looked at is forgotten.
func (t *target) changeTo(cfg spec.LogTarget) {
	select {
	case <-t.change:
	default:
	}
	t.change <- cfg
}

// end ends the target: it may send for so long what is in memory.
func (t *target) end(wait time.Duration) {
	t.in.closed.Store(true)
	select {
	case t.ending <- time.Now().Add(wait):
	default: // told before
	}
}

func (t *target) ring() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run is the life of the target: it looks what can be sent and what has to be written down, and waits.
func (t *target) run() {
	defer close(t.done)
	if t.before != nil {
		<-t.before
	}
	t.open()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		t.countIntake()
		if t.spool == nil && !now.Before(t.spoolAt) {
			t.openSpool(now)
		}
		t.launch(now)
		t.spill(now, t.closing && t.flying == nil)
		if t.closing && t.flying != nil && !t.aborted && !now.Before(t.until) {
			t.aborted = true
			t.abort()
		}
		t.tellLost(now, false)
		t.show()
		if t.closing && t.flying == nil {
			break
		}
		next := t.next(now)
		if !next.IsZero() {
			timer.Reset(max(0, time.Until(next)))
		} else {
			timer.Stop()
		}
		select {
		case <-t.wake:
		case <-timer.C:
		case o := <-t.land:
			t.landed(o, time.Now())
		case cfg := <-t.change:
			t.configure(cfg)
		case t.until = <-t.ending:
			t.closing = true
		}
	}
	t.finish()
}

// open makes the transport and finds what the spool holds of former times.
func (t *target) open() {
	t.connect()
	t.busy = time.Now()
	t.openSpool(t.busy)
}

// openSpool finds what is left of former times. Where that can't be, it is tried again.
func (t *target) openSpool(now time.Time) {
	s, err := openSpool(t.o.Dir, t.name, t.cfg.Spool)
	if err != nil {
		s.close()
		t.spoolFailed(err, now)
		return
	}
	t.spool = s
	t.spoolWell()
}

func (t *target) connect() {
	tr, err := t.dial(peer{
		LogTarget: t.cfg, host: t.o.Host, agent: "servicehost/" + t.o.Version, secret: t.o.Secret, ring: t.ring,
	})
	if err != nil { // the spec was checked: this is for a url that it let through
		tr = broken{err}
	}
	t.tr = tr
}

// broken is in the place of a transport that can't be made.
type broken struct{ err error }

func (b broken) send(context.Context, []record) outcome { return outcome{err: b.err} }
func (broken) owes() bool                               { return false }
func (broken) rest()                                    {}
func (broken) close()                                   {}

// configure takes a changed spec, ends what is being sent by the old one, and tries at once.
func (t *target) configure(cfg spec.LogTarget) {
	t.cfg = cfg
	if t.flying != nil {
		t.aborted = true
		t.abort()
		t.landed(<-t.land, time.Now())
	}
	t.tr.close()
	t.connect()
	t.retryAt = time.Time{}
	if t.spool != nil {
		t.spool.setMax(cfg.Spool)
		t.spoolAt = time.Time{}
	}
}

// launch begins to send what is next, when it may.
func (t *target) launch(now time.Time) {
	if t.flying != nil || now.Before(t.retryAt) {
		return
	}
	if t.closing && (t.fails > 0 || !now.Before(t.until) || t.spool != nil && !t.spool.empty()) {
		return // the spool keeps it
	}
	b := t.take(now)
	if b == nil && !t.tr.owes() {
		return
	}
	if b == nil {
		b = &batch{first: now}
	}
	t.flying = b
	t.busy, t.rested = now, false
	t.rs = b.all(t.rs[:0])
	ctx, cancel := context.WithCancel(context.Background())
	t.abort = cancel
	go func(tr transport, rs []record) {
		defer cancel()
		t.land <- tr.send(ctx, rs)
	}(t.tr, t.rs)
}

// take returns what is next: what is in the spool before what came later, nil for nothing.
func (t *target) take(now time.Time) *batch {
	if b := t.held; b != nil {
		t.held = nil
		return b
	}
	if t.spool != nil && !t.spool.empty() {
		b, l, err := t.spool.peek(chunkBytes, chunkRecords)
		t.lose(l, "the spool was damaged")
		if err != nil {
			t.failed(fmt.Errorf("cannot read the spool: %w", err), 0, now)
			return nil
		}
		if b.records > 0 {
			return &b
		}
	}
	if t.closing {
		return t.left(now)
	}
	return t.left(now.Add(-linger))
}

// left is the oldest of what is in memory and came in before.
func (t *target) left(before time.Time) *batch {
	c, ok := t.in.take(before)
	if !ok {
		return nil
	}
	return &batch{chunks: [][]byte{c.data}, records: c.records, first: c.first, owned: []chunk{c}}
}

// landed takes what became of the request.
func (t *target) landed(o outcome, now time.Time) {
	b := t.flying
	t.flying, t.abort = nil, nil
	aborted := t.aborted
	t.aborted = false
	t.busy = now
	done := min(o.done, b.records)
	t.sentRecords.Add(int64(done - o.refused))
	t.sentBytes.Add(o.sent)
	if o.refused > 0 {
		t.lose(lost{records: o.refused, bytes: max(0, bytesOf(t.rs[:min(done, len(t.rs))])-o.sent)}, o.why)
	}
	clear(t.rs)
	if o.err == nil {
		if b.spooled {
			if err := t.spool.ack(b.end, b.whole); err != nil {
				t.spoolFailed(err, now)
			}
		}
		b.free()
		t.well(now)
		return
	}
	t.putBack(b, done)
	if aborted {
		return
	}
	if done > 0 {
		t.fails = 0
	}
	t.failed(o.err, o.wait, now)
}

// putBack keeps what was not taken: in the spool, which needs no memory, or where that is not possible here.
func (t *target) putBack(b *batch, done int) {
	if b.records == 0 {
		return
	}
	if done == 0 && b.spooled && b.records == b.whole {
		t.spool.putBack()
		b.free()
		return
	}
	if b.skip(done); b.spooled {
		t.held = b // the spool knows whole batches only
		return
	}
	t.held = b
	t.spillHeld(time.Now())
}

// next is when there is something to do that nobody rings for; zero: nothing.
func (t *target) next(now time.Time) time.Time {
	var at time.Time
	by := func(when time.Time) {
		if at.IsZero() || when.Before(at) {
			at = when
		}
	}
	oldest, records, _ := t.in.oldest()
	waits := t.held != nil || t.spool != nil && !t.spool.empty()
	if t.flying == nil {
		switch {
		case waits || t.tr.owes():
			by(t.retryAt)
		case records > 0:
			by(laterOf(oldest.Add(linger), t.retryAt))
		}
	}
	if t.spool != nil && t.spool.max > 0 {
		if records > 0 && (t.flying != nil || now.Before(t.retryAt) || waits) {
			by(laterOf(oldest.Add(spillAfter), t.spoolAt))
		}
		if t.flying != nil && !t.flying.spooled && t.flying.records > 0 && t.spool.empty() {
			by(laterOf(t.flying.first.Add(spillAfter), t.spoolAt))
		}
	}
	if t.spoolAt.After(now) && t.held != nil && !t.held.spooled {
		by(t.spoolAt)
	}
	if t.spool == nil && t.cfg.Spool > 0 && (records > 0 || t.held != nil) {
		by(t.spoolAt)
	}
	if t.lost.records > 0 {
		by(t.lost.told.Add(tellEvery))
	}
	if !t.rested && t.flying == nil && records == 0 && !waits {
		if now.Sub(t.busy) >= idleAfter {
			t.rested = true
			t.rs = nil
			t.tr.rest()
		} else {
			by(t.busy.Add(idleAfter))
		}
	}
	if t.closing && !t.aborted {
		by(t.until)
	}
	return at
}

func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// finish leaves what is in memory to the spool, or counts it.
func (t *target) finish() {
	t.tr.close()
	now := time.Now()
	t.spoolAt = time.Time{}
	t.spill(now, true)
	if b := t.held; b != nil && !b.spooled {
		t.lose(lost{records: b.records, bytes: b.size()}, "there was no time and no room to keep them")
	}
	for b := t.left(now); b != nil; b = t.left(now) {
		t.lose(lost{records: b.records, bytes: b.size()}, "there was no time and no room to keep them")
	}
	t.held = nil
	t.countIntake()
	t.tellLost(now, true)
	if t.spool != nil {
		t.spool.close()
	}
	t.show()
}
