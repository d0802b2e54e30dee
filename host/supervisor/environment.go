package supervisor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/requires"
	"servicehost/host/restart"
	"servicehost/spec"
)

// environment is what all instances share. Its methods may be called from any goroutine and never block.
type environment struct {
	backend process.Backend
	logs    *logs.Set
	store   Store
	probes  Probes                        // nil: nothing is asked
	inForce func(*spec.Service) logs.Sink // nil: nobody wants to know
	publish func(journal.Event)
	hostEnv []string // NAME=value, the host's own
	exe     string
	place   atomic.Pointer[place]
	tasks   tasks
	// signedIn is an error as long as nobody is signed in; nil: not asked.
	signedIn func() error
	errands  atomic.Uint64
	stuck    func(*instance) // told of one that does not do what is due; nil: nobody is
	require  func(context.Context, spec.Requires, requires.Env) []requires.Unmet

	work   sync.WaitGroup  // everything started by spawn
	forced context.Context // ends when everything is to end at once
	force  context.CancelFunc

	mu       sync.Mutex
	governor *restart.Governor
	dirty    map[*instance]bool // snapshots that the coordinator has not seen
	ended    []*instance        // that take no turns any more
	wake     chan struct{}
	watchers map[chan struct{}]bool
}

// place is where the wanted spec lies and how the host is called.
type place struct{ name, dir string }

func (e *environment) tell(v journal.Event) { e.publish(v) }

// changed notes that i published a snapshot.
func (e *environment) changed(i *instance) {
	e.mu.Lock()
	e.dirty[i] = true
	for w := range e.watchers {
		ring(w)
	}
	e.mu.Unlock()
	ring(e.wake)
}

func (e *environment) gone(i *instance) {
	e.mu.Lock()
	e.ended = append(e.ended, i)
	e.mu.Unlock()
	ring(e.wake)
}

// ringWatchers wakes whoever waits for a change.
func (e *environment) ringWatchers() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for w := range e.watchers {
		ring(w)
	}
}

func (e *environment) takeDirty() (dirty map[*instance]bool, ended []*instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	dirty, ended = e.dirty, e.ended
	e.dirty, e.ended = map[*instance]bool{}, nil
	return dirty, ended
}

// watch returns a channel that is rung at every change, until release is called.
func (e *environment) watch() (c chan struct{}, release func()) {
	c = make(chan struct{}, 1)
	e.mu.Lock()
	e.watchers[c] = true
	e.mu.Unlock()
	return c, func() {
		e.mu.Lock()
		delete(e.watchers, c)
		e.mu.Unlock()
	}
}

func (e *environment) spawn(f func()) {
	e.work.Go(f)
}

// takeRestart books a place for an automatic restart and returns how long to wait for it.
func (e *environment) takeRestart(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.governor.Take(now)
}

func (e *environment) configure(r spec.Restarts) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.governor.Configure(r, time.Now())
}

// giveBack returns a booked place that is not used after all.
func (i *instance) giveBack() {
	if i.booked {
		i.booked = false
		i.env.mu.Lock()
		i.env.governor.Return()
		i.env.mu.Unlock()
	}
}

func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
