package journal

import (
	"fmt"
	"time"
)

// ledger is what the journal comes to, day by day: how long each instance was up while it should have been, and
// why it was started again. It is fed with events in their order, and can be kept and fed on.
type ledger struct {
	Seq uint64 `json:"seq"` // of the last event
	// First is when the first event was written: nothing is known of what was before.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Host is whether one runs, by the last event of its own: "", up, stopping or down.
	Host string `json:"host,omitempty"`
	// Days of the host itself, by dayOf.
	Days map[string]*hostDay `json:"days,omitempty"`

	units map[string]*unit
	cut   time.Time // what is before is not counted
	from  time.Time // what is counted begins here: days that are kept as such are counted whole
}

// hostDay is what happened to the host on one day.
type hostDay struct {
	Down    int64 `json:"down_ms,omitempty"` // no host ran
	Starts  int   `json:"starts,omitempty"`
	Crashes int   `json:"crashes,omitempty"`
}

const (
	hostUp       = "up"
	hostStopping = "stopping"
	hostDown     = "down"
)

func newLedger() *ledger { return &ledger{Days: map[string]*hostDay{}, units: map[string]*unit{}} }

// dayOf is the day of a moment, in UTC: it must be the same wherever a journal is read.
func dayOf(t time.Time) string { return t.UTC().Format("2006-01-02") }

// byDays calls f for each day that a span has a part of, with that part.
func byDays(from, to time.Time, f func(day string, part time.Duration)) {
	for from.Before(to) {
		u := from.UTC()
		end := time.Date(u.Year(), u.Month(), u.Day()+1, 0, 0, 0, 0, time.UTC)
		if end.After(to) {
			end = to
		}
		f(dayOf(from), end.Sub(from))
		from = end
	}
}

func (l *ledger) day(name string) *hostDay {
	d := l.Days[name]
	if d == nil {
		d = &hostDay{}
		l.Days[name] = d
	}
	return d
}

// add feeds one event.
func (l *ledger) add(e Event) {
	if e.Seq <= l.Seq && e.Seq > 0 {
		return
	}
	l.Seq = e.Seq
	if l.First.IsZero() {
		l.First = e.Time
	}
	switch back := l.Last.Sub(e.Time); { // somebody set the clock back: time must not be counted twice
	case back > clockWrong:
		l.rebase(e.Time)
	case back > 0:
		e.Time = l.Last
	}
	switch {
	case ofHost(e):
		l.ofHost(e)
	case e.Service != "":
		l.unitOf(e).observe(l, e)
	}
	l.Last = e.Time
}

const (
	// clockWrong is by how much a clock must be set back for what it said before to be taken as wrong.
	clockWrong = time.Hour
	// maxSpan is what nobody believes to have passed between two events.
	maxSpan = 366 * 24 * time.Hour
)

// rebase goes on at an earlier time; what was counted stays.
func (l *ledger) rebase(now time.Time) {
	earlier := func(t *time.Time) {
		if t.After(now) {
			*t = now
		}
	}
	for _, u := range l.units {
		earlier(&u.Since)
		earlier(&u.Began)
		earlier(&u.Outage)
	}
	earlier(&l.First)
	l.Last = now
}

func (l *ledger) unitOf(e Event) *unit {
	k := fmt.Sprintf("%s.%d", e.Service, e.Instance)
	u := l.units[k]
	if u == nil {
		u = &unit{Service: e.Service, Instance: e.Instance, Days: map[string]*unitDay{}}
		l.units[k] = u
	}
	if e.ID != "" {
		u.ID = e.ID
	}
	return u
}

// ofHost takes in what happens to the host. Nothing runs without one: that time is the host's, not the services'.
func (l *ledger) ofHost(e Event) {
	switch e.Kind {
	case HostStopping:
		l.Host = hostStopping
	case HostStopped:
		l.Host = hostDown
		for _, u := range l.units {
			u.hostEnds(l, e.Time)
		}
	case HostStarted:
		if l.Host == hostUp || l.Host == hostStopping {
			l.crashed(e)
		}
		if l.Host != "" {
			l.span(l.Last, e.Time, func(day string, ms int64) { l.day(day).Down += ms })
		}
		if !e.Time.Before(l.cut) {
			l.day(dayOf(e.Time)).Starts++
		}
		for _, u := range l.units {
			u.hostBegins(l, e.Time)
		}
		l.Host = hostUp
	}
}

// crashed takes in that the former host did not come to its end. It was seen alive last when its marker says so.
func (l *ledger) crashed(e Event) {
	end := l.Last
	if alive, err := time.Parse(time.RFC3339, e.Details[DetailLastAlive]); err == nil && alive.After(end) && alive.Before(e.Time) {
		end = alive
	}
	for _, u := range l.units {
		u.hostEnds(l, end)
	}
	l.Last = end
	if !e.Time.Before(l.cut) {
		l.day(dayOf(e.Time)).Crashes++
	}
}

// span hands the counted part of a span to f, in milliseconds by days: of whole ones of the clock, so that a span in
// two parts is as long as it was in one.
func (l *ledger) span(from, to time.Time, f func(day string, ms int64)) {
	if from.Before(l.cut) {
		from = l.cut
	}
	if to.Sub(from) > maxSpan {
		return
	}
	byDays(from.Truncate(time.Millisecond), to.Truncate(time.Millisecond), func(day string, part time.Duration) { f(day, part.Milliseconds()) })
}
