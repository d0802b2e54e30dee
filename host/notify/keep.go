package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"servicehost/host/journal"
)

// keepPrefix begins the keys of what is kept of notifiers: notify/NAME is a record, notify/NAME/ID a message.
//
// A message is written down before it is tried and after it is done, the record with the place in the journal now
// and then. What is behind that place is read again after a crash, and leads to the same messages: those that are
// written down, done or not, are known by their IDs.
const keepPrefix = "notify/"

func (n *notifier) recordKey() string           { return keepPrefix + n.name }
func (n *notifier) messageKey(id string) string { return keepPrefix + n.name + "/" + id }

// record is what is kept of a notifier.
type record struct {
	// Seq is the last event of the journal that is in Subjects and in messages.
	Seq      uint64              `json:"seq"`
	Subjects map[string]*subject `json:"subjects,omitempty"`
}

// restore takes what a former host left. start is where it begins without that, or when the journal is another.
func (n *notifier) restore(start uint64) {
	var r record
	there, err := n.o.Store.Get(n.recordKey(), &r)
	if err != nil {
		n.o.Tell(journal.Event{Kind: journal.Warning, Reason: fmt.Sprintf("notifier %q begins anew: %v", n.name, err)})
		return
	}
	for _, key := range n.o.Store.Keys(n.messageKey("")) {
		var m queued
		if _, err := n.o.Store.Get(key, &m); err != nil || m.ID == "" {
			continue // it is told anew, or has been
		}
		n.queue.no = max(n.queue.no, m.No)
		if m.Done {
			n.queue.done[m.ID] = m.Seq
			continue
		}
		n.queue.items = append(n.queue.items, &m)
	}
	slices.SortStableFunc(n.queue.items, func(a, b *queued) int { return cmp.Compare(a.No, b.No) })
	if there && r.Seq <= start {
		n.seq = r.Seq
	}
	n.kept = n.seq
	n.box.seen = n.seq
	for name, s := range r.Subjects {
		if s != nil {
			n.track.subjects[name] = s
		}
	}
	n.configure(n.cfg) // for which not all of this may be
}

// keep writes down what a restart of the host must not lose: at once, or now and then.
func (n *notifier) keep(now time.Time, all bool) {
	moved, age := n.seq != n.kept, now.Sub(n.keptAt)
	if !n.dirty && !moved || !all && age < dirtyEvery || !all && !n.dirty && age < keepEvery {
		return
	}
	for _, m := range n.queue.items {
		n.keepMessage(m)
	}
	err := n.o.Store.Put(n.recordKey(), record{Seq: n.seq, Subjects: n.track.subjects})
	if n.check(err); err == nil {
		n.unkept = false
	}
	for id, seq := range n.queue.done {
		if seq <= n.seq {
			n.queue.gone = append(n.queue.gone, id)
			delete(n.queue.done, id)
		}
	}
	for _, id := range n.queue.gone {
		n.check(n.o.Store.Delete(n.messageKey(id)))
	}
	n.queue.gone = nil
	n.dirty, n.kept, n.keptAt = false, n.seq, now
}

// keepMessage writes down a message that is new or has changed.
func (n *notifier) keepMessage(m *queued) {
	if m.changed {
		m.changed = false
		n.check(n.o.Store.Put(n.messageKey(m.ID), m))
	}
}

// through takes the first messages away, and remembers that nothing is to be done for them.
func (n *notifier) through(count int) {
	for _, m := range n.queue.take(count) {
		n.queue.done[m.ID] = m.Seq
		n.check(n.o.Store.Put(n.messageKey(m.ID), queued{Alert: Alert{ID: m.ID}, No: m.No, Seq: m.Seq, Done: true}))
	}
	n.dirty = true
}

// check tells once that the store can't be written; it keeps what it was given, and tries again with the next.
func (n *notifier) check(err error) {
	if err != nil && !n.unkept {
		n.unkept = true
		n.o.Tell(journal.Event{Kind: journal.Warning, Reason: fmt.Sprintf("cannot keep what notifier %q has to tell: %v", n.name, err)})
	}
}

// forget removes all that is kept.
func (n *notifier) forget() {
	for _, key := range append(n.o.Store.Keys(n.messageKey("")), n.recordKey()) {
		n.check(n.o.Store.Delete(key))
	}
}

// nameOf is the name of the notifier to which a key belongs.
func nameOf(key string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(key, keepPrefix), "/")
	return name
}
