package notify

import (
	"maps"
	"slices"
	"time"

	"servicehost/spec"
)

// longestWindow bounds how rarely a subject is told of that goes on and on.
const longestWindow = 4 * time.Hour

// subject is what a notifier remembers of one: what is open, and what is collected to be told later.
//
// The first occurrence is told at once and opens a window. What comes within it is collected and told at its end,
// which opens the next, twice as long. The first end is told at once; once that proved to be wrong, an end has to
// last for the group's time.
type subject struct {
	Last    occurrence    `json:"last"`
	Firing  bool          `json:"firing,omitempty"`
	Since   time.Time     `json:"since"`
	Total   int           `json:"total"`
	Held    int           `json:"held,omitempty"`     // occurrences that no message tells
	Until   time.Time     `json:"until,omitzero"`     // end of the window; zero: none
	Width   time.Duration `json:"width_ns,omitempty"` // of the window
	Flapped bool          `json:"flapped,omitempty"`  // an end was told that did not last, or may not
	Ended   time.Time     `json:"ended,omitzero"`     // when it ended, as long as that is not told
	EndedBy string        `json:"ended_by,omitempty"`
}

// rules are how a notifier groups.
type rules struct {
	group     time.Duration
	recovered bool // ends are told
}

// tracker turns occurrences and endings into messages. It has no clock of its own.
type tracker struct {
	rules
	subjects map[string]*subject
	emit     func(o occurrence, s *subject, status Status, count int, at time.Time, reason string)

	due   time.Time // what next returned
	known bool      // it holds
}

// fire takes an occurrence.
func (t *tracker) fire(o occurrence, now time.Time) {
	t.known = false
	name := o.String()
	s := t.subjects[name]
	if s == nil {
		s = &subject{Width: t.group}
		t.subjects[name] = s
	}
	t.settle(name, s, now)
	t.subjects[name] = s // settle may have been through with it
	open := now.Before(s.Until)
	switch {
	case !s.Ended.IsZero(): // so it was not over
		s.Ended, s.EndedBy = time.Time{}, ""
	case !s.Firing && (!o.passing() || !open):
		s.Since, s.Total = o.Time, 0
	}
	s.Firing = !o.passing()
	s.Last = o
	s.Total++
	if open {
		s.Held++
		return
	}
	if !s.Until.IsZero() || s.Total > 1 {
		s.widen()
	}
	count := s.Held + 1
	t.open(s, now)
	t.emit(o, s, Firing, count, o.Time, o.Reason)
}

// open begins a window.
func (t *tracker) open(s *subject, now time.Time) {
	if s.Width = min(s.Width, max(longestWindow, t.group)); t.group > 0 {
		s.Until = now.Add(max(s.Width, t.group))
	}
	s.Held = 0
}

func (s *subject) widen() {
	if !s.Last.passing() {
		s.Width *= 2
	}
}

// end takes an ending, and reports whether it ended something.
func (t *tracker) end(e ending, now time.Time) (any bool) {
	for _, name := range t.names() {
		s := t.subjects[name]
		if !s.Firing || !e.ends(s.Last.subjectOf) {
			continue
		}
		any, t.known = true, false
		s.Firing = false
		s.Ended, s.EndedBy = e.at, e.reason
		if !s.Flapped || !t.recovered || t.group == 0 {
			t.close(name, s, now)
		}
	}
	return any
}

// close tells of an end, and forgets the subject where nothing is collected.
func (t *tracker) close(name string, s *subject, now time.Time) {
	if t.recovered {
		t.emit(s.Last, s, Resolved, s.Held, s.Ended, s.EndedBy)
		s.Held = 0
	}
	s.Ended, s.EndedBy, s.Flapped = time.Time{}, "", true
	if !now.Before(s.Until) && s.Held == 0 {
		delete(t.subjects, name)
	}
}

// tick tells what is due.
func (t *tracker) tick(now time.Time) {
	if due := t.next(); due.IsZero() || now.Before(due) {
		return
	}
	t.known = false
	for _, name := range t.names() {
		t.settle(name, t.subjects[name], now)
	}
}

func (t *tracker) names() []string { return slices.Sorted(maps.Keys(t.subjects)) }

func (t *tracker) settle(name string, s *subject, now time.Time) {
	switch {
	case !s.Ended.IsZero():
		if !now.Before(t.stable(s)) {
			t.close(name, s, now)
			delete(t.subjects, name)
			*s = subject{Width: t.group}
		}
	case s.Until.IsZero() || now.Before(s.Until):
	case s.Held > 0:
		held := s.Held
		s.widen()
		t.open(s, now)
		t.emit(s.Last, s, Firing, held, s.Last.Time, s.Last.Reason)
	case s.Firing:
		s.Until = time.Time{}
	default:
		delete(t.subjects, name)
		*s = subject{Width: t.group}
	}
}

// stable is when an end that may be none has lasted long enough.
func (t *tracker) stable(s *subject) time.Time { return s.Ended.Add(t.group) }

// next is when tick has something to do; zero: never.
func (t *tracker) next() (at time.Time) {
	if t.known {
		return t.due
	}
	defer func() { t.due, t.known = at, true }()
	for _, s := range t.subjects {
		due := s.Until
		if !s.Ended.IsZero() {
			due = t.stable(s)
		}
		if !due.IsZero() && (at.IsZero() || due.Before(at)) {
			at = due
		}
	}
	return at
}

// forget drops what is not told any more after a change of the spec.
func (t *tracker) forget(wanted func(subjectOf) bool) {
	for name, s := range t.subjects {
		if !wanted(s.Last.subjectOf) {
			delete(t.subjects, name)
		}
	}
	t.known = false
}

// openServices are the instances of which something is open.
func (t *tracker) openServices() map[key]map[spec.AlertEvent]bool {
	out := map[key]map[spec.AlertEvent]bool{}
	for _, s := range t.subjects {
		if s.Firing && s.Last.Service != "" {
			k := key{s.Last.Service, s.Last.Instance}
			if out[k] == nil {
				out[k] = map[spec.AlertEvent]bool{}
			}
			out[k][s.Last.Event] = true
		}
	}
	return out
}
