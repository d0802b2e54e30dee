package thresholds

import (
	"time"

	"servicehost/host/process"
	"servicehost/host/usage"
)

// sample takes a measurement to every threshold that asks for one.
func (w *watched) sample(u usage.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return
	}
	if w.run != u.Run {
		if w.run != (process.RunID{}) {
			w.restart("another run has begun", u.At)
		}
		w.run = u.Run
	}
	for _, l := range w.levels {
		switch {
		case l.lines != nil:
		case l.growth != nil:
			v := l.growth.add(u.At, u.Memory, l.over)
			l.value = int64(l.growth.slope)
			w.turn(l, v, u.At)
		default:
			w.turn(l, l.take(valueOf(l.threshold, u)), u.At)
		}
	}
}

// take compares one value and says what that changes.
func (l *level) take(value int64) verdict {
	m, limit := measure(l.threshold)
	l.value = value
	l.above = count(value > limit, l.above)
	l.below = count(cleared90(m, value, limit), l.below)
	switch {
	case !l.over && l.above >= l.threshold.For:
		return crossed
	case l.over && l.below >= l.threshold.For:
		return cleared
	}
	return same
}

// cleared90 reports whether a value is far enough below its limit. Of numbers so small that a tenth of them is less
// than one the limit itself will do: they could never be lower.
func cleared90(measure string, value, limit int64) bool {
	switch measure {
	case "handles", "threads", "processes":
		if limit < 10 {
			return value <= limit
		}
	}
	return float64(value) < 0.9*float64(limit)
}

// turn tells what has changed of a threshold. w.mu is held.
func (w *watched) turn(l *level, v verdict, at time.Time) {
	if v == same {
		return
	}
	l.over, l.since = v == crossed, at
	e := w.event(l, at)
	e.Crossed, e.Reason = l.over, l.words()
	w.set.opt.Tell(e)
}
