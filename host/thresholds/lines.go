package thresholds

import (
	"regexp"
	"slices"
	"sync"
	"time"

	"servicehost/host/logs"
	"servicehost/spec"
)

// counter counts the lines that match, in a window of time. w.mu of its instance guards all but match.
type counter struct {
	match  *logs.Matcher
	count  int
	within time.Duration
	times  []time.Time // of the last lines that match, a ring of at most count
	next   int         // where the oldest one is, once the ring is full
	timer  *time.Timer // looks whether it is over; set while it is crossed
}

func newCounter(t spec.Threshold) *counter {
	re, err := regexp.Compile(t.Log)
	if err != nil { // a spec has none such
		re = regexp.MustCompile(`\z.`)
	}
	return &counter{match: logs.NewMatcher(re), count: t.Count, within: t.Within}
}

func (c *counter) reset() {
	c.times, c.next = nil, 0
	if c.timer != nil {
		c.timer.Stop()
	}
}

func (c *counter) add(at time.Time) {
	if len(c.times) < c.count {
		c.times = append(c.times, at)
		return
	}
	c.times[c.next] = at
	c.next = (c.next + 1) % c.count
}

// since returns how many of the lines are not older than the window, and when the oldest of them becomes so.
func (c *counter) since(now time.Time) (n int, next time.Time) {
	for _, t := range c.times {
		if now.Sub(t) >= c.within {
			continue
		}
		if n++; next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return n, next.Add(c.within)
}

// sink sees the lines of an instance.
type sink struct {
	w        *watched
	counters []*counter
	mu       sync.Mutex // nothing is counted behind stop
	stopped  bool
}

// Take implements logs.Sink.
func (s *sink) Take(r logs.Record) {
	for _, c := range s.counters {
		if c.match.Match(r.Text) {
			s.found(c, r.Time)
		}
	}
}

func (s *sink) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, c := range s.counters {
		if c.timer != nil {
			c.timer.Stop()
		}
	}
}

func (s *sink) live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.stopped
}

// found counts a line.
func (s *sink) found(c *counter, at time.Time) {
	w := s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.of(c)
	if l == nil || w.gone {
		return
	}
	c.add(at)
	if l.over {
		return // its timer counts when it is time to
	}
	if len(c.times) < c.count {
		return
	}
	if oldest := c.times[c.next]; at.Sub(oldest) < c.within {
		l.value = int64(c.count)
		w.turn(l, crossed, at)
		s.await(c)
	}
}

// of finds the threshold of a counter.
func (w *watched) of(c *counter) *level {
	n := slices.IndexFunc(w.levels, func(l *level) bool { return l.lines == c })
	if n < 0 {
		return nil
	}
	return w.levels[n]
}

// await looks again when the oldest line is out of the window. w.mu is held.
func (s *sink) await(c *counter) {
	_, next := c.since(time.Now())
	c.timer = time.AfterFunc(max(time.Until(next), time.Second), func() {
		if !s.live() {
			return
		}
		w := s.w
		w.mu.Lock()
		defer w.mu.Unlock()
		l := w.of(c)
		if l == nil || !l.over || w.gone {
			return
		}
		now := time.Now()
		n, _ := c.since(now)
		if l.value = int64(n); float64(n) < 0.9*float64(c.count) {
			w.turn(l, cleared, now)
			return
		}
		s.await(c)
	})
}
