package logs

import (
	"sync"
	"sync/atomic"
	"time"

	"servicehost/spec"
)

// Options are shared by all pipelines of a host.
type Options struct {
	// OnEvent hears of trouble with log files. It is called rarely, from any goroutine, with no lock
	// of this package held, and must not block long: a stream waits for it. May be nil.
	OnEvent func(Event)
	// Sink returns where the records for a name in log.forward go. It is asked once for each name that a
	// spec brings; nil is for nowhere. It must not call the pipeline that asks. May be nil.
	Sink func(target string) Sink
}

// The kinds of events.
const (
	// EventTrouble: from now on a log can't be written (its output is dropped), rotated or compressed.
	EventTrouble = "trouble"
	// EventRecovered ends a trouble. Lines and Bytes were dropped meanwhile; the file says so too.
	EventRecovered = "recovered"
	// EventDropped: the pipeline was closed in the middle of a trouble, so that no file says that
	// Lines and Bytes were dropped.
	EventDropped = "dropped"
	// EventEvicted: rotated files with together Bytes were deleted early, because of host.logs. It has no
	// ID and Path.
	EventEvicted = "evicted"
)

// Event is something that an operator should know about a log.
type Event struct {
	ID    string // of the pipeline
	Kind  string
	Path  string
	Text  string
	Lines int64
	Bytes int64
}

// timing holds the times that tests shorten.
type timing struct {
	check    time.Duration // between two looks whether a file is still the one its name stands for
	retry    time.Duration // between two tries to write again; doubles up to retryMax when it fails soon after
	retryMax time.Duration
	gate     time.Duration // how long a new run waits for the streams of the former one
	compress time.Duration // age of a rotated file at which it is compressed: in a flood it is gone by then
	first    time.Duration // from the first pipeline to the first sweep
	sweep    time.Duration // between sweeps
	settle   time.Duration // how long the rest of a line is waited for to tell its encoding
	silence  time.Duration // after which a record that could go on is taken for whole
	trim     time.Duration // from a rotation to a look at the budget
	settled  time.Duration // until a deleted file's space is free, on volumes that take their time
	tell     time.Duration // between two events of files deleted for the budget
	closing  time.Duration // what Close of a Pipeline or a Set waits at most
}

var defaultTiming = timing{
	check:    time.Second,
	retry:    time.Second,
	retryMax: 10 * time.Second,
	gate:     2 * time.Second,
	compress: 2 * time.Second,
	first:    time.Second,
	sweep:    10 * time.Minute,
	settle:   100 * time.Millisecond,
	silence:  500 * time.Millisecond,
	trim:     100 * time.Millisecond,
	settled:  2 * time.Second,
	tell:     10 * time.Minute,
	closing:  2 * time.Second,
}

// Set is what the pipelines of one host share: the compressor and the enforcement of ages.
// It runs no goroutine while there is nothing to do.
type Set struct {
	o      Options
	fs     fileSystem
	timing timing
	epoch  time.Time
	local  *time.Location
	system func(kind string) newTransformer // the code pages of this machine

	codecs  sync.Map // of *codec by log.encoding
	closing atomic.Bool
	mu      sync.Mutex
	writers map[*writer]*archive
	queue   []*archive  // have files to compress
	wake    *time.Timer // runs the worker at wakeAt
	wakeAt  time.Time
	sweepAt time.Time
	marked  map[*writer]bool // have marks for their indexes, to be written at markAt
	markAt  time.Time
	turning *time.Timer // runs turnAll at turnAt
	turnAt  time.Time
	working chan struct{} // closed when the worker ends; nil: none
	budget  budget
}

// NewSet returns a Set without pipelines. Close it when they are closed.
func NewSet(o Options) *Set {
	s := newSet(o, realFiles, defaultTiming)
	s.system = systemPage
	return s
}

func newSet(o Options, fs fileSystem, t timing) *Set {
	return &Set{o: o, fs: fs, timing: t, epoch: time.Now(), local: time.Local, system: noPage, writers: make(map[*writer]*archive)}
}

// noPage is a machine without code pages.
func noPage(string) newTransformer { return nil }

// codec is the same one for the same encoding, so that a pipeline sees whether it changed.
func (s *Set) codec(name string) *codec {
	c, ok := s.codecs.Load(name)
	if !ok {
		c, _ = s.codecs.LoadOrStore(name, newCodec(name, s.system))
	}
	return c.(*codec)
}

// Pipeline returns the way of the output of one instance into its files. It is cheap: no file,
// goroutine or buffer exists until output arrives.
func (s *Set) Pipeline(id string, cfg spec.Log) *Pipeline {
	p := &Pipeline{set: s, stop: make(chan struct{})}
	p.out.set = s
	p.Apply(id, cfg)
	return p
}

// Close ends compression and timers and waits, bounded, until they have ended. What isn't compressed
// yet is taken up by the next host. Pipelines that are still open go on writing.
func (s *Set) Close() {
	s.closing.Store(true)
	s.mu.Lock()
	if s.wake != nil {
		s.wake.Stop()
	}
	if s.turning != nil {
		s.turning.Stop()
	}
	if s.budget.timer != nil {
		s.budget.timer.Stop()
	}
	working := s.working
	s.mu.Unlock()
	if s.budget.lockSoon() {
		s.budget.mu.Unlock() // no trim is under way any more
	}
	if working == nil {
		return
	}
	select {
	case <-working:
	case <-time.After(s.timing.closing):
	}
}

// register makes the writer known to sweeps, or known under another path, and orders a sweep.
func (s *Set) register(w *writer, a *archive) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writers[w] = a
	s.orderSweep(time.Now().Add(s.timing.first))
}

func (s *Set) unregister(w *writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.writers[w]; a != nil {
		a.left.Store(true)
		s.budget.adopt(a)
	}
	delete(s.writers, w)
}

// enqueue has the worker compress what was rotated, after the given time.
func (s *Set) enqueue(a *archive, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.queued {
		a.queued = true
		s.queue = append(s.queue, a)
	}
	s.wakeBy(time.Now().Add(after))
}

// orderSweep needs s.mu.
func (s *Set) orderSweep(at time.Time) {
	if s.sweepAt.IsZero() || at.Before(s.sweepAt) {
		s.sweepAt = at
	}
	s.wakeBy(s.sweepAt)
}

// wakeBy has the worker run at the given time or before. It needs s.mu.
func (s *Set) wakeBy(at time.Time) {
	if s.closing.Load() || (!s.wakeAt.IsZero() && !at.Before(s.wakeAt)) {
		return
	}
	s.wakeAt = at
	if s.wake == nil {
		s.wake = time.AfterFunc(time.Until(at), s.startWorker)
	} else {
		s.wake.Reset(time.Until(at))
	}
}

func (s *Set) tell(e Event) {
	if s.o.OnEvent != nil {
		s.o.OnEvent(e)
	}
}

// sinceEpoch is the clock of rotated.due.
func (s *Set) sinceEpoch() int64 { return time.Since(s.epoch).Milliseconds() }
