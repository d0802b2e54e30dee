// Package notify tells receivers what happened: webhooks, mail, programs.
//
// A Hub serves all notifiers of a host. It follows the journal, from where the last host ended, and hands what
// counts to each notifier, a goroutine of its own: a slow receiver holds up nobody. A notifier groups what it is
// told, and has a queue of messages, which are kept in the state of the host before any of them is sent and after:
// a host that is killed loses none of them, and sends none again that a receiver said it took. What a receiver took
// without being able to say so is sent again under the same ID.
//
// Lock order: Hub.mu, then mailbox.mu or notifier.mu. None is held while something is sent or kept.
package notify

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"servicehost/spec"
)

const (
	// settleTime is how long a service has to be well before that is told.
	settleTime = 3 * time.Second
	// lookAfter is the least time between an event and the look at what came of it.
	lookAfter = 200 * time.Millisecond
	// startLook is how long after the start of the host a service may come up that had an alert.
	startLook = 10 * time.Second
)

// Hub serves the notifiers. All methods may be called from any goroutine.
type Hub struct {
	o     Options
	start uint64 // the last event before this host

	mu        sync.Mutex
	notifiers []*notifier // in the order of the spec
	going     []*notifier // being ended
	reader    reader
	open      map[key]bool      // services of which something may be open that ends when they are well
	rolled    map[key]bool      // services that are, or may be, rolled back
	looks     map[key]time.Time // when to look at a service
	look      *time.Timer
	last      uint64 // event that was read
	begun     bool   // there was an Apply
	stop      context.CancelFunc
	stopped   chan struct{}
	moved     *sync.Cond // last moved, or nothing is followed any more
	closed    bool
}

// New returns a Hub without notifiers. What happens from now on is told once there are any.
func New(o Options) *Hub {
	h := &Hub{o: o, reader: reader{ends: map[key]lastEnd{}}, open: map[key]bool{}, rolled: map[key]bool{}, looks: map[key]time.Time{}}
	h.moved = sync.NewCond(&h.mu)
	h.start = h.newest()
	return h
}

// Apply makes list the notifiers: a name that is there goes on with what it had, and one that is gone is forgotten.
// What was told by none before begins with what happens now, at the start of the host with all since New.
func (h *Hub) Apply(list []spec.Notifier) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	start := h.start
	if h.begun {
		start = h.newest()
	} else {
		h.sweep(list)
	}
	h.begun = true
	var next []*notifier
	for _, cfg := range list {
		i := slices.IndexFunc(h.notifiers, func(n *notifier) bool { return n.name == cfg.Name })
		if i >= 0 {
			n := h.notifiers[i]
			h.notifiers = slices.Delete(h.notifiers, i, i+1)
			if !reflect.DeepEqual(n.wanted, cfg) {
				n.wanted = cfg
				n.changeTo(cfg)
			}
			next = append(next, n)
			continue
		}
		next = append(next, h.begin(cfg, start))
	}
	for _, n := range h.notifiers {
		n.drop = true
		n.end(time.Now())
		h.going = append(h.going, n)
	}
	h.going = slices.DeleteFunc(h.going, func(n *notifier) bool { return isClosed(n.done) })
	h.notifiers = next
	if len(next) > 0 && h.stop == nil {
		h.follow()
	}
}

// begin starts a notifier; one of the same name that is being ended comes first.
func (h *Hub) begin(cfg spec.Notifier, start uint64) *notifier {
	var before <-chan struct{}
	for _, n := range h.going {
		if n.name == cfg.Name {
			before = n.done
		}
	}
	n := newNotifier(cfg, &h.o, start)
	if before == nil || isClosed(before) {
		n.restore(start)
	} // else what is kept is of that one, and about to be forgotten
	n.box.seen = n.seq
	for k, events := range n.track.openServices() {
		h.looks[k] = time.Now().Add(startLook)
		h.open[k] = true
		if events[spec.AlertRolledBack] {
			h.rolled[k] = true
		}
	}
	h.armLook()
	go func() {
		if before != nil {
			<-before
		}
		n.run()
	}()
	return n
}

// sweep removes what was kept of notifiers that are not there any more, and inputs of programs.
func (h *Hub) sweep(list []spec.Notifier) {
	sweep(h.o.Dir)
	for _, k := range h.o.Store.Keys(keepPrefix) {
		if !slices.ContainsFunc(list, func(n spec.Notifier) bool { return n.Name == nameOf(k) }) {
			_ = h.o.Store.Delete(k) // the next start tries again
		}
	}
}

// Stats are those of all notifiers, in the order of the spec.
func (h *Hub) Stats() []Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Stats
	for _, n := range h.notifiers {
		out = append(out, n.stats())
	}
	return out
}

// Close sends what waits, until ctx ends, and keeps the rest for the next host. What was published before is taken
// in first.
func (h *Hub) Close(ctx context.Context) {
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now()
	}
	h.catchUp(ctx)
	h.mu.Lock()
	h.closed = true
	if h.look != nil {
		h.look.Stop()
	}
	stop, stopped := h.stop, h.stopped
	all := append(slices.Clone(h.notifiers), h.going...)
	h.mu.Unlock()
	if stop != nil {
		stop()
		<-stopped
	}
	for _, n := range all {
		n.end(until)
	}
	for _, n := range all {
		<-n.done
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
