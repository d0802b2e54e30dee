package notify

import (
	"context"
	"fmt"
	"time"

	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/spec"
)

// newest is the last event of the journal.
func (h *Hub) newest() uint64 {
	if last := h.o.Journal.Recent(1); len(last) > 0 {
		return last[0].Seq
	}
	return 0
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
