package eventlog

import (
	"slices"
	"strings"
	"time"
)

// A crash loop must not push everything else out of a log of bounded size.
const (
	window     = time.Minute
	perService = 10  // events of one kind about one service within a window
	perKind    = 100 // events of one kind about all services
)

// limiter counts events by kind and service. The zero value is ready.
type limiter struct {
	counts map[limitKey]*count
}

type limitKey struct {
	kind    *Kind
	service string
	all     bool // of all services
}

type count struct {
	ends time.Time
	n    int
	left int // out
}

// suppressed are the events that a window left out.
type suppressed struct {
	kind    *Kind
	service string
	left    int
}

// allow reports whether an event is to be written, and counts it.
func (l *limiter) allow(r record, now time.Time) bool {
	own := l.count(limitKey{kind: r.kind, service: r.service}, now)
	if own.n >= perService {
		own.left++
		return false
	}
	all := l.count(limitKey{kind: r.kind, all: true}, now)
	if all.n >= perKind {
		all.left++
		return false
	}
	own.n++
	all.n++
	return true
}

func (l *limiter) count(k limitKey, now time.Time) *count {
	c := l.counts[k]
	if c == nil {
		if l.counts == nil {
			l.counts = map[limitKey]*count{}
		}
		c = &count{ends: now.Add(window)}
		l.counts[k] = c
	}
	return c
}

// next is when the first window ends; zero: there is none.
func (l *limiter) next() time.Time {
	var at time.Time
	for _, c := range l.counts {
		if at.IsZero() || c.ends.Before(at) {
			at = c.ends
		}
	}
	return at
}

// ended forgets the windows that have ended (all of them at the zero time) and returns what they left out.
func (l *limiter) ended(now time.Time) []suppressed {
	var out []suppressed
	for k, c := range l.counts {
		if !now.IsZero() && now.Before(c.ends) {
			continue
		}
		delete(l.counts, k)
		if c.left > 0 {
			out = append(out, suppressed{k.kind, k.service, c.left})
		}
	}
	slices.SortFunc(out, func(a, b suppressed) int {
		if a.kind.ID != b.kind.ID {
			return int(a.kind.ID) - int(b.kind.ID)
		}
		return strings.Compare(a.service, b.service)
	})
	return out
}
