package notify

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

const (
	// firstRetry and lastRetry bound the time between two tries.
	firstRetry, lastRetry = time.Second, time.Minute
	// giveUpAfter is how long a message is tried.
	giveUpAfter = 24 * time.Hour
	// linger is how long a message waits for others, where the receiver takes several at once.
	linger = 250 * time.Millisecond
	// tellAfter is how many tries in a row fail before an event says so.
	tellAfter = 2
	// keepEvery is how often the position is written down when nothing else is.
	keepEvery = time.Minute
	// dirtyEvery is how often it is written down while there is something new: until then the journal holds it.
	dirtyEvery = time.Second
	// ringEvery is after how many events that mean nothing the position is looked at.
	ringEvery = 500
)

// notifier is one receiver. What is not said to be shared belongs to the goroutine of run.
type notifier struct {
	o      *Options
	name   string
	wanted spec.Notifier // belongs to the hub
	box    mailbox
	change chan spec.Notifier
	ending chan time.Time
	drop   bool // nothing is kept; set before ending is told
	done   chan struct{}
	make   func(spec.Notifier) sender

	cfg    spec.Notifier
	tr     sender
	track  tracker
	queue  queue
	seq    uint64 // all up to this one is in track and queue
	kept   uint64
	keptAt time.Time
	dirty  bool
	unkept bool // the store could not write it, and an event said so

	flying  int // how many of the queue are being sent
	land    chan outcome
	abort   context.CancelFunc
	aborted bool // the failure of the try is our own doing
	fails   int
	retryAt time.Time
	told    bool // an event said that it is in trouble
	left    int  // of the queue, as told

	mu    sync.Mutex // of what follows
	shown Stats
}

func newNotifier(cfg spec.Notifier, o *Options, start uint64) *notifier {
	n := &notifier{
		o: o, name: cfg.Name, wanted: cfg, cfg: cfg, change: make(chan spec.Notifier, 1), ending: make(chan time.Time, 1),
		done: make(chan struct{}), land: make(chan outcome, 1), make: o.senders(), dirty: true, // its place is written down at once
	}
	n.box.wake = make(chan struct{}, 1)
	n.queue.done = map[string]uint64{}
	n.track = tracker{subjects: map[string]*subject{}, emit: n.emit}
	n.shown = Stats{Name: cfg.Name, State: StateOK, Since: time.Now()}
	n.seq, n.box.seen = start, start
	n.configure(cfg)
	return n
}

func (n *notifier) configure(cfg spec.Notifier) {
	n.cfg = cfg
	n.tr = n.make(cfg)
	n.track.rules = rules{group: cfg.Group, recovered: slices.Contains(cfg.On, spec.AlertRecovered)}
	n.track.forget(n.wants)
	n.queue.forget(n.wants)
	n.retryAt = time.Time{}
	n.show()
}

// wants reports whether a subject is told of.
func (n *notifier) wants(s subjectOf) bool {
	return slices.Contains(n.cfg.On, s.Event) && (len(n.cfg.Services) == 0 || slices.Contains(n.cfg.Services, s.Service))
}

// changeTo hands over a newer spec; one that was not looked at yet is forgotten.
func (n *notifier) changeTo(cfg spec.Notifier) {
	select {
	case <-n.change:
	default:
	}
	n.change <- cfg
}

// end lets it send until then what waits.
func (n *notifier) end(until time.Time) {
	select {
	case n.ending <- until:
	default: // told before
	}
}

// run is the life of the notifier.
func (n *notifier) run() {
	defer close(n.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var until time.Time // set: it is to end then
	for {
		now := time.Now()
		n.take(now)
		n.track.tick(now)
		n.tellLeft()
		if !until.IsZero() && n.flying == 0 && (len(n.queue.items) == 0 || n.fails > 0 || !now.Before(until)) {
			break
		}
		n.launch(now, !until.IsZero())
		n.keep(now, false)
		n.show()
		if at := n.next(until); at.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(0, time.Until(at)))
		}
		select {
		case <-n.box.wake:
		case <-timer.C:
			if !until.IsZero() && n.flying > 0 && !time.Now().Before(until) {
				n.cut()
			}
		case o := <-n.land:
			n.landed(o, time.Now())
		case cfg := <-n.change:
			n.configure(cfg)
		case until = <-n.ending:
			if n.drop && n.flying > 0 {
				n.cut()
			}
		}
	}
	if n.drop {
		n.forget()
		return
	}
	n.keep(time.Now(), true)
	n.show()
}

// cut ends the try that is under way.
func (n *notifier) cut() {
	n.aborted = true
	n.abort()
}

// next is when there is something to do that nobody rings for; zero: nothing.
func (n *notifier) next(until time.Time) (at time.Time) {
	by := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	by(n.track.next())
	if n.dirty {
		by(n.keptAt.Add(dirtyEvery))
	}
	if n.flying == 0 && len(n.queue.items) > 0 {
		ready := n.retryAt
		if due := n.ready(); due.After(ready) {
			ready = due
		}
		if ready.IsZero() {
			ready = time.Now()
		}
		by(ready)
	}
	if !n.aborted {
		by(until)
	}
	return at
}

// take works off what the hub handed over.
func (n *notifier) take(now time.Time) {
	changes, seen := n.box.take()
	for _, c := range changes {
		switch {
		case c.fire != nil && c.fire.Seq > n.seq && n.wants(c.fire.subjectOf):
			n.track.fire(*c.fire, now)
			n.dirty = true
		case c.end != nil:
			n.dirty = n.track.end(*c.end, now) || n.dirty
		}
	}
	n.seq = max(n.seq, seen)
}

// emit makes a message of what happened to a subject.
func (n *notifier) emit(o occurrence, s *subject, status Status, count int, at time.Time, reason string) {
	a := Alert{
		Alert: n.o.Host + "/" + o.String(), Host: n.o.Host, Event: o.Event, Status: status, Service: o.Service, Instance: o.Instance, ServiceID: o.ID,
		Reason: reason, Actor: o.Actor, Since: s.Since, At: at, Count: count, Total: s.Total, LastLines: o.Lines, Details: o.Details,
	}
	if status == Resolved {
		a.Event, a.Resolves, a.LastLines, a.Actor = spec.AlertRecovered, o.Event, nil, ""
		a.DurationSeconds = max(0, at.Sub(s.Since)).Seconds()
	}
	a.identify(n.name, o.Seq)
	n.queue.put(a, o.Seq, time.Now())
	n.dirty = true
}

// ready is when the first message may go.
func (n *notifier) ready() time.Time {
	first := n.queue.items[0]
	if n.tr.most() == 1 || first.Tried || len(n.queue.items) >= n.tr.most() {
		return first.Put
	}
	return first.Put.Add(linger)
}

// launch begins to send what is next, when it may.
func (n *notifier) launch(now time.Time, ending bool) {
	if n.flying > 0 || len(n.queue.items) == 0 || now.Before(n.retryAt) || !ending && now.Before(n.ready()) {
		return
	}
	for len(n.queue.items) > 0 && now.Sub(n.queue.items[0].Put) > giveUpAfter {
		n.giveUp(1, fmt.Sprintf("tried for %s", human.Duration(giveUpAfter)))
	}
	batch := n.queue.batch(n.tr.most())
	if len(batch) == 0 {
		return
	}
	as := make([]Alert, len(batch))
	for i, m := range batch {
		if !m.Tried {
			m.Tried, m.changed = true, true
		}
		m.Title = title(m.Alert)
		as[i] = m.Alert
		n.keepMessage(m) // under its ID, before anybody can have seen it
	}
	n.flying = len(batch)
	ctx, cancel := context.WithCancel(context.Background())
	n.abort = cancel
	go func(tr sender) {
		defer cancel()
		n.land <- tr.send(ctx, as)
	}(n.tr)
}

// landed takes what became of a try.
func (n *notifier) landed(o outcome, now time.Time) {
	count, aborted := n.flying, n.aborted
	n.flying, n.abort, n.aborted = 0, nil, false
	switch {
	case o.err == nil:
		n.through(count)
		n.well(now, count)
		return
	case aborted:
		return
	case o.final:
		n.through(count)
		n.lost(count)
		n.fails = 0
		n.retryAt = time.Time{}
		n.trouble(now, o.err.Error(), human.Count(count, "message")+" given up", true)
		return
	}
	n.fails++
	n.retryAt = now.Add(max(backoff(n.fails, rand.Float64()), o.wait))
	n.trouble(now, o.err.Error(), "what is for it waits", n.fails >= tellAfter)
}

// backoff is the time before the next try, half as long again each time, up to a quarter more or less.
func backoff(fails int, random float64) time.Duration {
	d := math.Min(float64(lastRetry), float64(firstRetry)*math.Pow(1.5, float64(fails-1)))
	return min(lastRetry, time.Duration(d*(0.75+random/2)))
}
