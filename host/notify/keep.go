package notify

import (
	"fmt"
	"time"

	"servicehost/host/journal"
)

// keepPrefix begins the keys of what is kept of notifiers.
const keepPrefix = "notify."

// record is what is kept of a notifier.
type record struct {
	// Seq is the last event of the journal that is in what follows.
	Seq      uint64              `json:"seq"`
	Subjects map[string]*subject `json:"subjects,omitempty"`
	Queue    []*queued           `json:"queue,omitempty"`
}

// restore takes what a former host left. start is where it begins without that, or when the journal is another.
func (n *notifier) restore(start uint64) {
	var r record
	if there, err := n.o.Store.Get(keepPrefix+n.name, &r); !there || err != nil {
		if err != nil {
			n.o.Tell(journal.Event{Kind: journal.Warning, Reason: fmt.Sprintf("notifier %q begins anew: %v", n.name, err)})
		}
		return
	}
	if r.Seq <= start {
		n.seq = r.Seq
	}
	n.kept = n.seq
	n.box.seen = n.seq
	for name, s := range r.Subjects {
		if s != nil {
			n.track.subjects[name] = s
		}
	}
	for _, m := range r.Queue {
		if m != nil {
			n.queue.items = append(n.queue.items, m)
		}
	}
	n.configure(n.cfg) // for which not all of this may be
}

// keep writes down what a restart of the host must not lose: at once, or where only the position moved, now and then.
func (n *notifier) keep(now time.Time, all bool) {
	moved := n.seq != n.kept
	if !n.dirty && (!moved || !all && now.Sub(n.keptAt) < keepEvery) {
		return
	}
	err := n.o.Store.Put(keepPrefix+n.name, record{Seq: n.seq, Subjects: n.track.subjects, Queue: n.queue.items})
	if err != nil && !n.unkept {
		n.o.Tell(journal.Event{Kind: journal.Warning, Reason: fmt.Sprintf("cannot keep what notifier %q has to tell: %v", n.name, err)})
	}
	n.unkept = err != nil // the store tries again with the next one
	n.dirty, n.kept, n.keptAt = false, n.seq, now
}

func (n *notifier) forget() {
	if err := n.o.Store.Delete(keepPrefix + n.name); err != nil {
		n.o.Tell(journal.Event{Kind: journal.Warning, Reason: fmt.Sprintf("cannot forget notifier %q: %v", n.name, err)})
	}
}
