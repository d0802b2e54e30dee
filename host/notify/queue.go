package notify

import (
	"slices"
	"time"
)

const (
	// joinAfter is how old an alert must be that nobody got, for its end to be told in its place.
	joinAfter = time.Minute
	// queueMost bounds what waits. As what waits of one subject is joined, it takes very many subjects to come here.
	queueMost = 4096
)

// queued is a message that waits.
type queued struct {
	Alert
	Put time.Time `json:"put"`
	// No is its place among all messages, and Seq the last event in it.
	No  uint64 `json:"no"`
	Seq uint64 `json:"seq"`
	// Tried is set once a receiver may have seen it: it is not changed any more.
	Tried bool `json:"tried,omitempty"`
	// Done is set when nothing is to be done for it any more, as long as that has to be remembered.
	Done bool `json:"done,omitempty"`

	changed bool // since it was written down
}

// queue are the messages of a notifier in their order. Of one subject there are at most an alert, its end, and
// those of a later time, beside one that was tried.
type queue struct {
	items []*queued
	left  int    // how many had no room
	no    uint64 // of the last one
	// done are the IDs, and the last events, of what nothing is to be done for, as long as these events may be read again.
	done map[string]uint64
	gone []string // IDs of what was joined with others, still written down
}

// put adds a message with all events up to seq. What is in the queue already, for a former host wrote it down, stays.
func (q *queue) put(a Alert, seq uint64, now time.Time) {
	if _, done := q.done[a.ID]; done || slices.ContainsFunc(q.items, func(m *queued) bool { return m.ID == a.ID }) {
		return
	}
	if before := q.last(a.Alert); before != nil {
		switch {
		case before.Tried:
		case a.Status == Firing && before.Status == Firing:
			if seq > before.Seq {
				before.update(a, seq)
			}
			return
		case a.Status == Resolved && before.Status == Firing && now.Sub(before.Put) > joinAfter:
			a.Count += before.Count
			q.gone = append(q.gone, before.ID)
			before.Alert, before.Seq, before.changed = a, seq, true
			return
		case a.Status == Firing && before.Status == Resolved:
			// It came back before anybody heard that it had gone: as long as that it came first waits, too, it never went.
			if first := q.before(before); first != nil && !first.Tried && first.Status == Firing {
				since, total := first.Since, first.Total
				first.update(a, seq)
				first.Count += before.Count
				first.Since, first.Total = since, total+before.Count+a.Count
				q.remove(before)
				return
			}
		}
	}
	if len(q.items) >= queueMost {
		if n := slices.IndexFunc(q.items, func(m *queued) bool { return !m.Tried }); n >= 0 {
			q.remove(q.items[n])
			q.left++
		}
	}
	q.no++
	q.items = append(q.items, &queued{Alert: a, Put: now, No: q.no, Seq: seq, changed: true})
}

func (q *queue) remove(m *queued) {
	q.gone = append(q.gone, m.ID)
	q.items = slices.DeleteFunc(q.items, func(other *queued) bool { return other == m })
}

// update adds a later message of the same subject. The ID stays: nobody has seen it.
func (m *queued) update(a Alert, seq uint64) {
	id, count, since := m.ID, m.Count, m.Since
	m.Alert = a
	m.ID, m.Since = id, since
	m.Count += count
	m.Seq, m.changed = seq, true
}

// last is what waits as the last one of a subject.
func (q *queue) last(subject string) *queued {
	for _, m := range slices.Backward(q.items) {
		if m.Alert.Alert == subject {
			return m
		}
	}
	return nil
}

// before is what waits of the same subject ahead of m.
func (q *queue) before(m *queued) (found *queued) {
	for _, other := range q.items {
		if other == m {
			return found
		}
		if other.Alert.Alert == m.Alert.Alert {
			found = other
		}
	}
	return nil
}

// batch are the messages that go together: most are what the receiver takes at once. What was tried is tried
// again as it was.
func (q *queue) batch(most int) []*queued {
	if len(q.items) > 0 && q.items[0].Tried {
		if n := slices.IndexFunc(q.items, func(m *queued) bool { return !m.Tried }); n >= 0 {
			return q.items[:n]
		}
		return q.items
	}
	return q.items[:min(most, len(q.items))]
}

// take takes the first n away.
func (q *queue) take(n int) []*queued {
	taken := slices.Clone(q.items[:n])
	q.items = slices.Delete(q.items, 0, n)
	return taken
}

// forget drops what is not wanted any more, but for what may have been seen.
func (q *queue) forget(wanted func(subjectOf) bool) {
	for _, m := range slices.Clone(q.items) {
		event := m.Event
		if m.Status == Resolved {
			event = m.Resolves
		}
		if !m.Tried && !wanted(subjectOf{Event: event, Service: m.Service, Instance: m.Instance}) {
			q.remove(m)
		}
	}
}
