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
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/host/journal"
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

// newest is the last event of the journal.
func (h *Hub) newest() uint64 {
	if last := h.o.Journal.Recent(1); len(last) > 0 {
		return last[0].Seq
	}
	return 0
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

// follow begins to read the journal behind what every notifier has.
func (h *Hub) follow() {
	from := h.newest()
	for _, n := range h.notifiers {
		from = min(from, n.box.place())
	}
	h.last = from
	ctx, cancel := context.WithCancel(context.Background())
	h.stop, h.stopped = cancel, make(chan struct{})
	go func() {
		defer close(h.stopped)
		for ctx.Err() == nil {
			h.mu.Lock()
			after := h.last
			h.mu.Unlock()
			err := h.o.Journal.Follow(ctx, journal.Query{After: after}, h.take)
			if err == nil {
				break // the journal is closed
			}
			h.o.Tell(journal.Event{Kind: journal.Warning, Reason: "cannot read what notifiers are to be told: " + err.Error()})
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done():
			}
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.moved.Broadcast()
	}()
}

// take hands an event to the notifiers.
func (h *Hub) take(e journal.Event) error {
	if gap := h.handOut(e); gap > 0 {
		h.o.Tell(journal.Event{Kind: journal.NotifyTrouble, Reason: fmt.Sprintf("%s could not be told to notifiers: the journal does not hold them any more", human.Count(gap, "event"))})
	}
	return nil
}

// handOut returns how many events are missing before this one.
func (h *Hub) handOut(e journal.Event) (gap int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Seq <= h.last {
		return 0
	}
	if h.last > 0 {
		gap = int(e.Seq - h.last - 1)
	}
	h.last = e.Seq
	h.moved.Broadcast()
	changes := h.reader.read(e)
	changes = append(changes, h.specChanges(e)...)
	h.watch(e, changes)
	for _, n := range h.notifiers {
		n.box.put(e.Seq, changes...)
	}
	return gap
}

// specChanges are what an edit that was taken in ends: only what is really over, for the edit may be of a program.
func (h *Hub) specChanges(e journal.Event) (out []change) {
	if e.Kind != journal.ReloadApplied && e.Kind != journal.ReloadPending {
		return nil
	}
	now := h.o.SpecStanding()
	end := func(event spec.AlertEvent, reason string) {
		out = append(out, change{end: &ending{events: []spec.AlertEvent{event}, at: e.Time, reason: reason}})
	}
	if !now.Rejected {
		end(spec.AlertReloadRejected, e.Reason)
	}
	if !now.Pending && e.Kind == journal.ReloadApplied {
		end(spec.AlertPending, e.Reason)
	}
	return out
}

// watch notes which service may be well again, and when to look. That of which nothing is open costs nothing.
func (h *Hub) watch(e journal.Event, changes []change) {
	k := keyOf(e)
	for _, c := range changes {
		if c.fire != nil && k.service != "" && !c.fire.passing() {
			h.open[k] = true
		}
	}
	look := func(after time.Duration) {
		if h.open[k] || h.rolled[k] {
			h.looks[k] = time.Now().Add(after)
		}
	}
	switch e.Kind {
	case journal.StateChanged:
		switch e.To {
		case "running":
			look(settleTime)
		case "stopped", "exited", "waiting":
			look(lookAfter)
		default:
			delete(h.looks, k)
		}
	case journal.Healthy, journal.Recovered:
		look(lookAfter)
	case journal.RolledBack:
		h.rolled[k] = true
	case journal.ServiceRemoved:
		delete(h.open, k)
		delete(h.rolled, k)
		delete(h.looks, k)
	case journal.ReloadApplied:
		for k := range h.rolled {
			h.looks[k] = time.Now().Add(settleTime)
		}
	}
	h.armLook()
}

// armLook sets the clock for the next look.
func (h *Hub) armLook() {
	if h.closed {
		return
	}
	var at time.Time
	for _, t := range h.looks {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	switch {
	case at.IsZero():
	case h.look == nil:
		h.look = time.AfterFunc(time.Until(at), h.lookAround)
	default:
		h.look.Reset(time.Until(at))
	}
}

// lookAround ends the alerts of services that are well.
func (h *Hub) lookAround() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	now := time.Now()
	for k, at := range h.looks {
		if now.Before(at) {
			continue
		}
		delete(h.looks, k)
		h.lookAt(k, now)
	}
	h.armLook()
}

func (h *Hub) lookAt(k key, now time.Time) {
	s := h.o.Standing(k.service, k.instance)
	e := ending{service: k.service, instance: k.instance, at: now, reason: s.Text}
	switch {
	case !s.Known:
		e.reason = "the spec names it no more"
		delete(h.open, k)
		delete(h.rolled, k)
	case s.Well:
		delete(h.open, k)
		e.events = []spec.AlertEvent{spec.AlertFailed, spec.AlertExited, spec.AlertUnhealthy}
	}
	if s.Known && !s.RolledBack && h.rolled[k] {
		delete(h.rolled, k)
		e.events = append(e.events, spec.AlertRolledBack)
	}
	if s.Known && len(e.events) == 0 {
		return
	}
	for _, n := range h.notifiers {
		n.box.put(0, change{end: &e})
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

// Test sends a message to each of the named notifiers, or to all, once, beside what waits. It returns when all have
// answered or their time is over. A name that there is not is an *UnknownError.
func (h *Hub) Test(ctx context.Context, names []string, actor string) ([]TestResult, error) {
	h.mu.Lock()
	var chosen []spec.Notifier
	var have []string
	for _, n := range h.notifiers {
		have = append(have, n.name)
		if len(names) == 0 || slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, n.name) }) {
			chosen = append(chosen, n.wanted)
		}
	}
	h.mu.Unlock()
	for _, s := range names {
		if !slices.ContainsFunc(have, func(name string) bool { return strings.EqualFold(s, name) }) {
			return nil, &UnknownError{Name: s, Have: have}
		}
	}
	out := make([]TestResult, len(chosen))
	var all sync.WaitGroup
	for i, cfg := range chosen {
		all.Go(func() {
			began := time.Now()
			a := Alert{
				Alert: h.o.Host + "/" + string(EventTest), Host: h.o.Host, Event: EventTest, Status: Testing, Since: began, At: began, Count: 1, Total: 1,
				Reason: "an operator wants to know whether messages arrive", Actor: actor,
			}
			a.identify(cfg.Name, uint64(began.UnixNano()))
			a.Title = title(a)
			o := h.o.senders()(cfg).send(ctx, []Alert{a})
			if o.err == nil {
				h.nudge(cfg.Name)
			}
			out[i] = TestResult{Name: cfg.Name, Kind: kindOf(cfg), Err: o.err, Duration: time.Since(began)}
		})
	}
	all.Wait()
	return out, nil
}

// nudge has a notifier try at once again what waits: its receiver is well.
func (h *Hub) nudge(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.notifiers {
		if n.name == name && n.stats().State != StateOK {
			n.changeTo(n.wanted)
		}
	}
}

// UnknownError is a name that no notifier has.
type UnknownError struct {
	Name string
	Have []string
}

func (e *UnknownError) Error() string { return fmt.Sprintf("no notifier %q", e.Name) }

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

// catchUp waits until all that was published is read.
func (h *Hub) catchUp(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop == nil {
		return
	}
	newest := h.newest()
	defer context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.moved.Broadcast()
	})()
	for h.last < newest && ctx.Err() == nil && !isClosed(h.stopped) {
		h.moved.Wait()
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
