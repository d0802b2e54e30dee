package host

import (
	"sync"
	"time"

	"servicehost/host/control"
	"servicehost/spec"
)

// specState is where the files stand against what runs. It is read by every status and written by the
// reload goroutine.
type specState struct {
	mu        sync.Mutex
	current   *spec.Spec // handed to the supervisor
	appliedAt time.Time
	applying  bool
	problems  spec.Problems // of the files as last seen; empty: they are fine
	pending   *spec.Spec    // held until it is confirmed
	held      string        // why
	lastGood  string        // why the last good spec is running; empty: it is not
	paused    bool
	missed    bool // an edit came during the pause
	stopping  bool
	quit      chan struct{}
}

func (s *specState) ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quit == nil {
		s.quit = make(chan struct{})
	}
	return s.quit
}

func (s *specState) setStopping() {
	s.ended()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.stopping = true
		close(s.quit)
	}
}

func (s *specState) budget() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Host.ShutdownTimeout
}

func (s *specState) stopBudget() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return StopBudget(s.current.Host)
}

func (s *specState) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// isHeld reports whether an edit waits to be confirmed.
func (s *specState) isHeld() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending != nil
}

// set changes the state under its lock.
func (s *specState) set(f func(*specState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// view is the part of status that is about the spec. rolledBack tells whether any service is.
func (s *specState) view(rolledBack string) control.SpecStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := control.SpecStatus{Path: s.current.Path, State: control.SpecApplied, Hash: s.current.Hash, AppliedAt: s.appliedAt, Problems: []spec.Problem{}}
	switch {
	case len(s.problems) > 0 && s.lastGood == "":
		v.State, v.Problems = control.SpecRejected, s.problems
	case len(s.problems) > 0:
		v.State, v.Problems, v.Reason = control.SpecRejected, s.problems, s.lastGood
	case s.pending != nil:
		v.State, v.Reason = control.SpecPending, s.held
	case s.applying:
		v.State, v.Reason = control.SpecPending, "being applied"
	case rolledBack != "":
		v.State, v.Reason = control.SpecRolledBack, rolledBack
	case s.lastGood != "":
		v.State, v.Reason = control.SpecLastGood, s.lastGood
	}
	return v
}

// takeMissed reports whether an edit came during a pause, once.
func (s *specState) takeMissed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	missed := s.missed
	s.missed = false
	return missed
}

// pausedNow reports whether the host is paused; an edit that comes then is noted for the resume.
func (s *specState) pausedNow(edit bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed = s.missed || s.paused && edit
	return s.paused
}
