package thresholds

import (
	"cmp"
	"reflect"
	"slices"
	"sync"
	"time"

	"servicehost/host/process"
	"servicehost/spec"
)

// watched is an instance with thresholds.
type watched struct {
	set *Set
	key Key

	mu     sync.Mutex
	id     string
	run    process.RunID
	levels []*level
	sink   *sink // nil: no lines are counted
	gone   bool
}

// level is one threshold of an instance.
type level struct {
	threshold spec.Threshold
	over      bool
	since     time.Time
	value     int64
	above     int // samples in a row
	below     int
	growth    *growth  // of memory_growth
	lines     *counter // of log
}

// sampled reports whether the usage of the instance is wanted, and whether a full look at it is.
func (w *watched) sampled() (full, sampled bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.levels {
		sampled = sampled || l.lines == nil
		full = full || l.threshold.Handles > 0
	}
	return full, sampled
}

// apply exchanges the thresholds and returns what that ended.
func (w *watched) apply(id string, ts []spec.Threshold) (events []Event, out *sink) {
	w.mu.Lock()
	defer w.mu.Unlock()
	former := w.levels
	w.id, w.levels = cmp.Or(id, w.id), make([]*level, 0, len(ts))
	for _, t := range ts {
		n := slices.IndexFunc(former, func(l *level) bool { return sameMeasure(l.threshold, t) })
		if n < 0 {
			w.levels = append(w.levels, newLevel(t))
			continue
		}
		former[n].threshold = t // its action may be another one
		w.levels = append(w.levels, former[n])
		former = slices.Delete(slices.Clone(former), n, n+1)
	}
	for _, l := range former {
		if l.over {
			e := w.event(l, time.Now())
			e.Reason = l.name() + " is watched no more"
			events = append(events, e)
		}
	}
	if len(ts) == 0 {
		w.gone = true
	}
	var counters []*counter
	for _, l := range w.levels {
		if l.lines != nil {
			counters = append(counters, l.lines)
		}
	}
	switch {
	case len(counters) == 0:
		w.silence()
	case w.sink == nil || !slices.Equal(w.sink.counters, counters):
		w.silence()
		w.sink = &sink{w: w, counters: counters}
	}
	return events, w.sink
}

func (w *watched) silence() {
	if w.sink != nil {
		w.sink.stop()
		w.sink = nil
	}
}

// end stops what the instance does by itself.
func (w *watched) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	w.silence()
}

// ended resets everything, as the run is over.
func (w *watched) ended(incarnation uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run != (process.RunID{}) && w.run.Incarnation != incarnation {
		return
	}
	w.restart("the run is over", time.Now())
	w.run = process.RunID{}
}

// restart begins anew. w.mu is held.
func (w *watched) restart(why string, at time.Time) {
	for n, l := range w.levels {
		if l.over {
			e := w.event(l, at)
			e.Reason = l.name() + ": " + why
			w.set.opt.Tell(e)
		}
		fresh := newLevel(l.threshold)
		if l.lines != nil { // its sink knows it
			l.lines.reset()
			fresh.lines = l.lines
		}
		w.levels[n] = fresh
	}
}

func (w *watched) event(l *level, at time.Time) Event {
	m, limit := measure(l.threshold)
	return Event{Key: w.key, ID: w.id, Run: w.run, Threshold: l.threshold, At: at, Measure: m, Value: l.value, Limit: limit}
}

// sameMeasure reports whether two thresholds ask the same question, whatever their actions are.
func sameMeasure(a, b spec.Threshold) bool {
	a.Action, b.Action, a.DumpURL, b.DumpURL = spec.ThresholdAction{}, spec.ThresholdAction{}, "", ""
	return reflect.DeepEqual(a, b)
}

func newLevel(t spec.Threshold) *level {
	l := &level{threshold: t}
	switch {
	case t.MemoryGrowth > 0:
		l.growth = &growth{limit: float64(t.MemoryGrowth)}
	case t.Log != "":
		l.lines = newCounter(t)
	}
	return l
}
