package osservice

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// Service is the service control manager as the running host sees it. Its methods return at once and may be
// called from any goroutine.
type Service struct {
	controls chan string // not buffered: the handler keeps what nobody has taken yet

	mu       sync.Mutex
	budget   time.Duration // of a stop
	stopping bool
	steps    int // of a stop that were reported
	warn     func(string)
	warnings []string // nobody has asked for yet
	warned   bool

	ready  chan struct{}      // the host is up
	moved  chan struct{}      // a stop began or went on
	resize chan time.Duration // a new budget; the latest wins
}

// defaultBudget is that of a stop before the host has said how long one may take.
const defaultBudget = time.Minute

func newService() *Service {
	return &Service{
		controls: make(chan string),
		budget:   defaultBudget,
		ready:    make(chan struct{}, 1),
		moved:    make(chan struct{}, 1),
		resize:   make(chan time.Duration, 1),
	}
}

// Run runs body as the service with this name and returns its error. It must be called at once: a process
// that has not come here within 30 s of its start is killed (error 1053). The ctx of body ends with STOP and
// PRESHUTDOWN and with nothing else: signals of the console don't stop a service. An error of body that was
// not asked to end, and a panic, are an end with an error for the service manager, after which it acts; the
// code is 1, or that of the error's ExitCode method.
func Run(ctx context.Context, name string, body func(ctx context.Context, s *Service) error) error {
	h := &handler{ctx: ctx, body: body, service: newService(), resize: func(d time.Duration) error { return resize(system{}, name, d) }}
	if err := svc.Run(name, h); err != nil {
		if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
			return &ByHand{Name: name}
		}
		return failed("run", name, err)
	}
	return h.err
}

// Controls is what the manager asks for besides a stop: reload, rotate, dump, session, resume. One that
// nobody has taken yet is not offered twice.
func (s *Service) Controls() <-chan string { return s.controls }

// Ready lets the SCM send more than a stop. RUNNING was reported when the body began: other services wait
// for that.
func (s *Service) Ready() { signal(s.ready) }

// Reloading has nothing to do.
func (s *Service) Reloading() {}

// Reloaded has nothing to do.
func (s *Service) Reloaded() {}

// Status has nothing to do: the SCM has no place for words.
func (s *Service) Status(string) {}

// Alive has nothing to do: the SCM has no watchdog.
func (s *Service) Alive() {}

// WatchdogInterval is 0.
func (s *Service) WatchdogInterval() time.Duration { return 0 }

// Budget asks the SCM to wait that long at a shutdown of the machine.
func (s *Service) Budget(d time.Duration) {
	s.mu.Lock()
	changed := s.budget != d
	s.budget = d
	s.mu.Unlock()
	if !changed {
		return
	}
	for {
		select {
		case s.resize <- d:
			return
		default:
		}
		select { // make room for the latest
		case <-s.resize:
		default:
		}
	}
}

// Stopping reports STOP_PENDING.
func (s *Service) Stopping(budget time.Duration) {
	s.mu.Lock()
	s.stopping, s.budget = true, budget
	s.mu.Unlock()
	signal(s.moved)
}

// Progress lets the next checkpoint be reported, also beyond the budget.
func (s *Service) Progress(int) {
	s.mu.Lock()
	s.steps++
	s.mu.Unlock()
	signal(s.moved)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was said already
	}
}

func (s *Service) stop() (stopping bool, budget time.Duration, steps int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping, s.budget, s.steps
}

// OnWarning hands over what went wrong between host and SCM and stops nothing, also what was before.
func (s *Service) OnWarning(f func(message string)) {
	s.mu.Lock()
	earlier := s.warnings
	s.warn, s.warnings = f, nil
	s.mu.Unlock()
	for _, w := range earlier {
		f(w)
	}
}

// warnOnce says the first of what goes on failing.
func (s *Service) warnOnce(message string) {
	s.mu.Lock()
	if s.warned {
		s.mu.Unlock()
		return
	}
	s.warned = true
	f := s.warn
	if f == nil {
		s.warnings = append(s.warnings, message)
	}
	s.mu.Unlock()
	if f != nil {
		f(message)
	}
}

// resize sets the preshutdown timeout of an installed service. The account of the service need not have the
// right to do so: only LocalSystem and administrators do.
func resize(api scm, name string, d time.Duration) error {
	m := &manager{api: api}
	p := preshutdown(d)
	return m.with(name, windows.SERVICE_CHANGE_CONFIG, func(h windows.Handle) error {
		return api.change2(h, p.level, p.info)
	})
}
