package thresholds

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/usage"
	"servicehost/spec"
)

// Key names an instance over changes of its id.
type Key struct {
	Service  string
	Instance int
}

// Event tells that a threshold was crossed, or that this is over.
type Event struct {
	Key       Key
	ID        string
	Threshold spec.Threshold
	// Run is the one that was sampled; zero where lines were counted.
	Run     process.RunID
	Crossed bool
	At      time.Time
	// Measure is the key of the spec. Value and Limit are in its units: bytes, percent of a core, numbers, bytes per
	// hour.
	Measure      string
	Value, Limit int64
	Reason       string
}

// Options of New.
type Options struct {
	// Tell hears of every event, those of one instance one after the other, from any goroutine. It must not block
	// long, nor call the set about that instance.
	Tell func(Event)
	// Watch is told whose usage is wanted from now on, true where a full look is.
	Watch func(ids map[string]bool)
}

// Set watches the instances of a host. Its methods may be called from any goroutine.
type Set struct {
	opt Options

	mu       sync.Mutex
	watched  map[Key]*watched
	byID     map[string]*watched
	retuning *time.Timer // runs retune; nil: the sampler knows
}

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

// New returns a set that watches nothing yet.
func New(o Options) *Set {
	return &Set{opt: o, watched: map[Key]*watched{}, byID: map[string]*watched{}}
}

// retuneAfter is how long the sampler may lag behind: at a start every instance brings its thresholds.
const retuneAfter = 50 * time.Millisecond

// Apply has an instance watched by the thresholds of a spec, and returns who is to see the lines of its output; nil:
// nobody. What is the same goes on.
func (s *Set) Apply(k Key, id string, ts []spec.Threshold) logs.Sink {
	events, out := s.apply(k, id, ts)
	for _, e := range events {
		s.opt.Tell(e)
	}
	if out == nil {
		return nil
	}
	return out
}

func (s *Set) apply(k Key, id string, ts []spec.Threshold) ([]Event, *sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watched[k]
	if w == nil && len(ts) == 0 {
		return nil, nil
	}
	if w == nil {
		w = &watched{set: s, key: k}
		s.watched[k] = w
	}
	was, gone := w.id, len(ts) == 0
	events, out := w.apply(id, ts)
	if was != "" && s.byID[was] == w {
		delete(s.byID, was)
	}
	if gone {
		delete(s.watched, k)
	} else {
		s.byID[id] = w
	}
	s.retune()
	return events, out
}

// Forget ends the watch of an instance that is no more.
func (s *Set) Forget(k Key) { s.Apply(k, "", nil) }

// Close ends what a set does by itself.
func (s *Set) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retuning != nil {
		s.retuning.Stop()
	}
	for _, w := range s.watched {
		w.end()
	}
}

// retune tells soon whose usage is wanted. s.mu is held.
func (s *Set) retune() {
	if s.retuning != nil {
		return
	}
	s.retuning = time.AfterFunc(retuneAfter, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.retuning = nil
		ids := map[string]bool{}
		for id, w := range s.byID {
			if full, sampled := w.sampled(); sampled {
				ids[id] = full
			}
		}
		s.opt.Watch(ids)
	})
}

// Sample takes a measurement of an instance.
func (s *Set) Sample(u usage.Sample) {
	s.mu.Lock()
	w := s.byID[u.ID]
	s.mu.Unlock()
	if w != nil {
		w.sample(u)
	}
}

// Ended says that a run of an instance is over: the next one starts anew.
func (s *Set) Ended(k Key, incarnation uint64) {
	s.mu.Lock()
	w := s.watched[k]
	s.mu.Unlock()
	if w != nil {
		w.ended(incarnation)
	}
}

// Crossed returns what is crossed of an instance.
func (s *Set) Crossed(id string) []Event {
	s.mu.Lock()
	w := s.byID[id]
	s.mu.Unlock()
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Event
	for _, l := range w.levels {
		if l.over {
			e := w.event(l, l.since)
			e.Crossed, e.Reason = true, l.words()
			out = append(out, e)
		}
	}
	return out
}

// IDs are the instances that are watched.
func (s *Set) IDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.byID))
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
			e.Reason = fmt.Sprintf("%s %s is watched no more", e.Measure, Amount(e.Measure, e.Limit))
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
