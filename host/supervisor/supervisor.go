package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/requires"
	"servicehost/host/restart"
	"servicehost/spec"
)

// Options of New. All are needed but those that may be nil.
type Options struct {
	Backend process.Backend
	Logs    *logs.Set
	Store   Store
	// Publish is told every event, from many goroutines. It must not block long.
	Publish func(journal.Event)
	// SignedIn is an error as long as nobody is signed in, on whose desktop a service could run. It may be nil.
	SignedIn func() error
	// Probes asks runs whether they work; nil: nobody does, and what runs is ready.
	Probes Probes
	// InForce is told the spec of an instance whenever another one gets in force, and returns who is to see the lines
	// of its output beside the log; nil: nobody. It must not block. It may be nil itself.
	InForce func(s *spec.Service) logs.Sink
	// Env is the environment of the host, NAME=value; Exe its executable.
	Env []string
	Exe string
	// Last is called at the end of Shutdown, when no service runs any more and RunProgram can still be used. It may be nil.
	Last func()
}

// Supervisor is the coordinator. Its methods may be called from any goroutine.
type Supervisor struct {
	env      *environment
	commands chan func()
	quit     chan struct{}
	over     chan struct{} // nothing runs any more, hooks neither
	done     chan struct{}
	last     func()

	mu    sync.RWMutex
	index map[Key]*instance
	list  []*instance // ordered by service and number

	// What follows belongs to the coordinator goroutine.
	slots      map[Key]*slot
	order      []*slot // by service and number
	services   map[string][]*slot
	dependents map[string][]*slot // service → who depends on it
	host       spec.Host
	edit       uint64 // the number of specs handed out
	generation uint64 // the same and the operators' wishes
	paused     bool
	stopping   bool
	flux       bool // something is held back and has to be looked at at every change
	timer      *time.Timer
}

// slot is what the coordinator knows of an instance.
type slot struct {
	key    Key
	wanted *spec.Service // nil: to be removed
	deps   map[string]spec.Dependency
	wish   *Wish
	inst   *instance // nil: not created yet
	target *target
	edit   uint64         // that brought wanted
	runs   map[Key]uint64 // incarnations of what it is restarted with, as last seen
}

// ErrStopping is returned once the supervisor is being stopped.
var ErrStopping = errors.New("the host is stopping")

// New starts a supervisor that runs nothing yet.
func New(o Options) *Supervisor {
	s := &Supervisor{
		env: &environment{
			backend: o.Backend, logs: o.Logs, store: o.Store, publish: o.Publish, hostEnv: slices.DeleteFunc(slices.Clone(o.Env), meantForHost), exe: o.Exe, signedIn: o.SignedIn, probes: o.Probes, inForce: o.InForce, require: requires.Check,
			governor: restart.NewGovernor(spec.Restarts{}), dirty: map[*instance]bool{}, wake: make(chan struct{}, 1), watchers: map[chan struct{}]bool{},
		},
		commands: make(chan func()), quit: make(chan struct{}), over: make(chan struct{}), done: make(chan struct{}), last: o.Last,
		index: map[Key]*instance{}, slots: map[Key]*slot{}, services: map[string][]*slot{}, dependents: map[string][]*slot{},
	}
	s.env.forced, s.env.force = context.WithCancel(context.Background())
	go s.loop()
	go s.route()
	return s
}

// route hands the events of the backend to the instances and errands they belong to.
func (s *Supervisor) route() {
	for {
		select {
		case e := <-s.env.backend.Events():
			if e.Run.Task != "" {
				s.env.tasks.deliver(e)
				continue
			}
			s.mu.RLock()
			i := s.index[Key{e.Run.Service, e.Run.Instance}]
			s.mu.RUnlock()
			if i != nil {
				i.box.event(e)
			}
		case <-s.over:
			return
		}
	}
}

func (s *Supervisor) loop() {
	defer close(s.done)
	for {
		var wishEnds <-chan time.Time
		if s.timer != nil {
			wishEnds = s.timer.C
		}
		select {
		case f := <-s.commands:
			f()
		case <-s.env.wake:
			s.lookAtChanges()
		case <-wishEnds:
			s.timer = nil
			s.endWishes(time.Now())
		case <-s.quit:
			return
		}
	}
}

// do runs f on the coordinator goroutine and waits for it.
func (s *Supervisor) do(f func()) error {
	ran := make(chan struct{})
	select {
	case s.commands <- func() { f(); close(ran) }:
		<-ran
		return nil
	case <-s.done:
		return ErrStopping
	}
}

// lookAtChanges takes in what instances published: gates of dependents, and what was held back.
func (s *Supervisor) lookAtChanges() {
	dirty, ended := s.env.takeDirty()
	for _, i := range ended {
		s.drop(i)
	}
	if len(ended) > 0 {
		defer s.env.ringWatchers()
	}
	if s.flux || len(ended) > 0 && !s.stopping {
		s.reconcile()
		return
	}
	if s.stopping { // all have been told, and nobody waits for another
		return
	}
	var seen map[string]bool
	for i := range dirty {
		name := i.key.Service
		if p := i.snap.Load(); p.SpecState == SpecRolledBack || p.Stalled != "" || s.changing(name) {
			for _, d := range s.services[name] {
				s.retarget(d)
			}
		}
		if len(s.dependents[name]) == 0 || seen[name] {
			continue
		}
		if seen == nil {
			seen = map[string]bool{}
		}
		seen[name] = true
		for _, d := range s.dependents[name] {
			s.retarget(d)
		}
	}
}

// changing reports whether an instance of the service has not been handed its spec yet, or waits for its turn to take it.
func (s *Supervisor) changing(name string) bool {
	return slices.ContainsFunc(s.services[name], func(l *slot) bool {
		return l.target != nil && (l.target.spec != l.wanted || l.target.gate.turn)
	})
}

// drop forgets an instance that takes no turns any more.
func (s *Supervisor) drop(i *instance) {
	s.mu.Lock()
	if s.index[i.key] == i {
		delete(s.index, i.key)
		n, _ := slices.BinarySearchFunc(s.list, i.key, instanceKey)
		s.list = slices.Delete(s.list, n, n+1)
	}
	s.mu.Unlock()
	l := s.slots[i.key]
	if l == nil || l.inst != i {
		return
	}
	l.inst, l.target = nil, nil
	if l.wanted == nil {
		delete(s.slots, i.key)
		if !s.stopping {
			s.env.forget(i.key)
			s.env.tell(journal.Event{Kind: journal.ServiceRemoved, Service: i.key.Service, Instance: i.key.Instance, ID: i.spec.ID, Reason: "removed from the spec"})
		}
		s.reindex()
	}
}

// create makes an instance and has it take its first turns.
func (s *Supervisor) create(l *slot, t *target) {
	i := newInstance(l.key, s.env, t)
	l.inst, l.target = i, t
	s.mu.Lock()
	s.index[l.key] = i
	n, _ := slices.BinarySearchFunc(s.list, l.key, instanceKey)
	s.list = slices.Insert(s.list, n, i)
	s.mu.Unlock()
	go i.takeTurns()
}

func instanceKey(i *instance, k Key) int { return compareKeys(i.key, k) }

func compareKeys(a, b Key) int {
	if c := strings.Compare(a.Service, b.Service); c != 0 {
		return c
	}
	return a.Instance - b.Instance
}

// reindex rebuilds what is derived from slots.
func (s *Supervisor) reindex() {
	s.order = s.order[:0]
	clear(s.services)
	clear(s.dependents)
	for _, l := range s.slots {
		s.order = append(s.order, l)
	}
	slices.SortFunc(s.order, func(a, b *slot) int { return compareKeys(a.key, b.key) })
	for _, l := range s.order {
		s.services[l.key.Service] = append(s.services[l.key.Service], l)
		for name := range l.deps {
			s.dependents[name] = append(s.dependents[name], l)
		}
	}
}

// Snapshots returns how every instance stands, ordered by service and number. It never waits.
func (s *Supervisor) Snapshots() []*Snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*Snapshot, len(s.list))
	for n, i := range s.list {
		out[n] = i.snap.Load()
	}
	return out
}

// LastLines returns the last lines of output of an instance, at most n.
func (s *Supervisor) LastLines(k Key, n int) []string {
	if i := s.instance(k); i != nil {
		return i.log.Tail(n)
	}
	return nil
}

func (s *Supervisor) instance(k Key) *instance {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index[k]
}

// Pause holds back automatic restarts until it is called with false.
func (s *Supervisor) Pause(on bool) error {
	return s.do(func() {
		s.paused = on
		s.reconcile()
	})
}

// Force ends everything at once, without the stop ladders and hooks. Shutdown must follow, or be under way.
func (s *Supervisor) Force(reason string) {
	s.env.force()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, i := range s.list {
		i.box.call(func(i *instance) { i.hurry(reason) })
	}
}

// Shutdown stops every instance in reverse dependency order and ends the supervisor. What is not
// down after the budget, or when ctx ends, is killed. It returns how many had to be killed.
func (s *Supervisor) Shutdown(ctx context.Context, budget time.Duration) (killed int) {
	changed, release := s.env.watch()
	defer release()
	if s.do(func() {
		s.stopping = true
		s.reconcile()
	}) != nil {
		return 0
	}
	over := time.NewTimer(budget)
	defer over.Stop()
	cancelled, expired := ctx.Done(), over.C
	for {
		left := 0
		s.mu.RLock()
		left = len(s.list)
		s.mu.RUnlock()
		if left == 0 {
			break
		}
		select {
		case <-changed:
			continue
		case <-cancelled:
			cancelled = nil
			s.Force("the host was told to end at once")
		case <-expired:
			expired = nil
			s.Force("host.shutdown_timeout (" + text(budget) + ") is over")
		}
		killed = max(killed, s.alive())
	}
	close(s.quit)
	<-s.done
	defer close(s.over) // hooks that still run have ends to be told of
	worked := make(chan struct{})
	go func() { s.env.work.Wait(); close(worked) }()
	for {
		select {
		case <-worked:
			s.env.force()
			if s.last != nil {
				s.last()
			}
			return killed
		case <-cancelled:
			cancelled = nil
		case <-expired:
			expired = nil
		}
		s.env.force() // hooks are no reason to stay for longer
	}
}

func (s *Supervisor) alive() (n int) {
	for _, p := range s.Snapshots() {
		if p.State.hasProcess() {
			n++
		}
	}
	return n
}
