package probe

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"servicehost/spec"
)

// Options of a Set. The zero value is fit for use.
type Options struct {
	// Workers bounds how many rounds are under way at once; the others wait their turn, and their timeout
	// begins with it. 0: 128.
	Workers int
	// Programs bounds how many of them run a program. 0: 16.
	Programs int
	// Rand spreads the rounds over the period, from [0, 1). nil: math/rand.
	Rand func() float64
}

// Exec runs a program for an exec probe in the environment and the identity of its service, waits until
// nothing of its tree is left, and returns nil for exit code 0, else what went wrong: "exit code 2: cannot
// open db". When ctx ends the tree must be killed; it ends at the timeout of the probe, and before when the
// answer is no longer wanted.
type Exec func(ctx context.Context, argv []string) error

// Set asks all probes of a host. One goroutine keeps the time of all of them; workers exist only while there is
// something to ask. All methods may be called from any goroutine, and none of them blocks but Close.
type Set struct {
	opt  Options
	ctx  context.Context
	stop context.CancelFunc
	tls  tlsFiles
	wall func() time.Time // seam of tests: the clock that goes on in a sleep of the machine

	wake chan struct{}
	done sync.WaitGroup

	mu       sync.Mutex
	started  bool // the goroutine
	closed   bool
	heap     dueHeap
	sleeping time.Time // until then, unless woken; zero: for ever
	network  []*prober // due, in order, waiting for a worker
	programs []*prober // the same of those that run a program
	busy     int       // workers
	running  int       // of them with a program
	events   []told
}

// told is an event on its way out.
type told struct {
	w *Watch
	e Event
}

// NewSet returns a Set that asks nothing yet.
func NewSet(o Options) *Set {
	if o.Workers <= 0 {
		o.Workers = 128
	}
	if o.Programs <= 0 {
		o.Programs = 16
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	s := &Set{opt: o, wake: make(chan struct{}, 1), wall: func() time.Time { return time.Now().Round(0) }}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends all rounds and waits for what they started. Nothing is reported any more when it returns.
func (s *Set) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.ring()
	s.done.Wait()
}

// Run is what a Watch is told of a run. Its key is in all events, so that those of an earlier run can be told.
type Run struct {
	Key string
	// Port replaces the placeholder spec.AutoPort in what is asked.
	Port int
	// Started is when the process was started; zero: now.
	Started time.Time
	Exec    Exec
}

// Watch begins to ask about a run. Events are reported one after the other from a goroutine of the Set, in the
// order in which they happened; report must not block. A nil h has nothing to ask: the run has started and is
// ready at once.
func (s *Set) Watch(r Run, h *spec.Health, report func(Event)) *Watch {
	if r.Started.IsZero() {
		r.Started = time.Now()
	}
	w := &Watch{set: s, run: r, report: report}
	w.ctx, w.cancel = context.WithCancel(s.ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		w.stopped.Store(true)
		w.cancel()
		return w
	}
	if !s.started {
		s.started = true
		s.done.Go(s.loop)
	}
	w.apply(h)
	return w
}

// loop keeps the time of all probes and reports what happened.
func (s *Set) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		now := time.Now()
		for woken := false; len(s.heap) > 0 && !s.heap[0].due.Add(-s.heap[0].ahead(woken)).After(now); woken = true {
			s.begin(heap.Pop(&s.heap).(*prober), now)
		}
		s.dispatch()
		events := s.events
		s.events = nil
		closed := s.closed
		s.sleeping = time.Time{}
		if len(s.heap) > 0 {
			s.sleeping = s.heap[0].due
		}
		until := s.sleeping
		s.mu.Unlock()
		if closed {
			return
		}
		for _, t := range events {
			if !t.w.stopped.Load() {
				t.w.report(t.e)
			}
		}
		if until.IsZero() {
			<-s.wake
			continue
		}
		timer.Reset(time.Until(until))
		select {
		case <-s.wake:
		case <-timer.C:
		}
	}
}

func (s *Set) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tell puts an event on its way. Called with the lock held.
func (s *Set) tell(w *Watch, e Event) {
	e.Key, e.At = w.run.Key, time.Now()
	s.events = append(s.events, told{w, e})
	s.ring()
}

// plan has a prober begin a round at the time given. Called with the lock held.
func (s *Set) plan(p *prober, at time.Time) {
	p.due = at
	p.wallDue = s.wall().Add(time.Until(at))
	if p.index >= 0 {
		heap.Fix(&s.heap, p.index)
	} else {
		heap.Push(&s.heap, p)
	}
	if s.sleeping.IsZero() || at.Before(s.sleeping) {
		s.ring()
	}
}

// unplan takes a prober out of whatever it waits in. Called with the lock held.
func (s *Set) unplan(p *prober) {
	if p.index >= 0 {
		heap.Remove(&s.heap, p.index)
	}
	p.queued = false // those that wait for a worker are passed over
}

// dueHeap orders probers by when their next round is due.
type dueHeap []*prober

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *dueHeap) Push(x any) {
	p := x.(*prober)
	p.index = len(*h)
	*h = append(*h, p)
}

func (h *dueHeap) Pop() any {
	old := *h
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	p.index = -1
	return p
}
