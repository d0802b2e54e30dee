package supervisor

import (
	"errors"
	"slices"
	"time"

	"servicehost/host/process"
	"servicehost/host/restart"
	"servicehost/spec"
)

const (
	// sessionRetry is how often a service that waits for somebody to sign in looks by itself. It is a net:
	// SessionChanged tells it at once.
	sessionRetry = 30 * time.Second
	// signOutTime is how long after an end of its process somebody may be found to have signed out, so that
	// the end was no crash. Windows ends the programs of a session before the session.
	signOutTime = 30 * time.Second
)

// signOut remembers how a service on the desktop of a user stood before its process ended.
type signOut struct {
	until    time.Time
	restart  restart.State
	restarts int
}

// SessionChanged tells that somebody signed in or out. Services on the desktop of the user look anew.
func (s *Supervisor) SessionChanged() { s.ringAll() }

// Resumed tells that the machine slept and woke up. Timers stood still meanwhile, so that what is due by the
// clock is done now: wishes that end at a time, retries and whatever else waits for a moment.
func (s *Supervisor) Resumed() {
	_ = s.do(func() { s.endWishes(time.Now()) }) // one that stops has no wishes to end
	s.ringAll()
}

// ringAll has every instance look at its clock anew.
func (s *Supervisor) ringAll() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, i := range s.list {
		i.box.ring()
	}
}

// onDesktop reports whether the service runs on the desktop of the signed-in user.
func onDesktop(s *spec.Service) bool { return s.Session == spec.SessionUser }

// nobody is the reason for which there is no desktop to run on; "" where there is one.
func (i *instance) nobody() string {
	if i.env.signedIn == nil {
		return ""
	}
	if err := i.env.signedIn(); err != nil {
		return err.Error()
	}
	return ""
}

// waitForUser keeps a service waiting as long as nobody is signed in, and reports whether it does.
func (i *instance) waitForUser(now time.Time) bool {
	if !onDesktop(i.wanted()) {
		return false
	}
	reason := i.nobody()
	if reason == "" {
		return false
	}
	i.giveBack()
	i.nextTry = now.Add(sessionRetry)
	i.waitFor(reason)
	return true
}

// noSession takes the answer of the backend that nobody is signed in, who was there a moment ago.
func (i *instance) noSession(err error) bool {
	e, ok := errors.AsType[*process.Error](err)
	if !ok || e.Kind != process.ErrNoSession {
		return false
	}
	i.nextTry = time.Now()
	if i.nobody() == "" {
		i.nextTry = i.nextTry.Add(sessionRetry)
	}
	return i.enter(Backoff, e.Message)
}

// endedOnDesktop remembers how the service stood, before the end of its process is judged.
func (i *instance) endedOnDesktop(now time.Time) {
	if i.signOut == nil || now.After(i.signOut.until) {
		state := i.restart
		state.History = slices.Clone(state.History)
		i.signOut = &signOut{restart: state, restarts: i.restarts}
	}
	i.signOut.until = now.Add(signOutTime)
}

// stepSignOut takes the end of a process back once it turns out that the user has signed out, and reports
// whether it did.
func (i *instance) stepSignOut(now time.Time) bool {
	before := i.signOut
	if before == nil {
		return false
	}
	if i.state == Backoff || i.state == Exited || i.state == Failed {
		if reason := i.nobody(); reason != "" && i.wantedUp() {
			i.signOut = nil
			i.restart, i.restarts, i.auto = before.restart, before.restarts, false
			i.nextTry = now.Add(sessionRetry)
			i.keep()
			return i.enter(Waiting, reason)
		}
	}
	if now.After(before.until) {
		i.signOut = nil
	}
	return false
}
