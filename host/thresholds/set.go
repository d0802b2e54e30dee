package thresholds

import (
	"maps"
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
