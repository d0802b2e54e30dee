package process

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/windows"
)

// userDesktop is the desktop that a signed-in user sees.
const userDesktop = `winsta0\default`

const sessionHint = "install the host as a service with the account LocalSystem: no other may"

// SignedIn reports whether somebody is signed in, on whose desktop a run can be started: nil, or an *Error of
// kind ErrNoSession. Where it can't be known it is nil, and Start says why.
func SignedIn() error { return signedIn(winSecurity{}) }

func signedIn(sec security) error {
	id := &identity{sec: sec}
	err := id.openSession()
	id.free()
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == ErrNoSession {
		return err
	}
	return nil
}

// joinSession takes on the signed-in user.
func (id *identity) joinSession() error {
	if err := id.openSession(); err != nil || id.base == 0 {
		return err
	}
	t, err := id.sec.duplicate(id.base, ownTokenAccess, windows.SecurityImpersonation, windows.TokenPrimary)
	if err != nil {
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot copy the token of the signed-in user: %v", err)}
	}
	id.sec.close(id.base)
	id.base, id.token = t, t
	id.name, id.session = "the signed-in user", true
	desktop := userDesktop
	id.desktop = &desktop
	return id.loadEnv() // the profile is there as long as the user is
}

// openSession finds the token of the user to start programs for. In a session of its own, where somebody runs
// it in the foreground, the host is that user already.
func (id *identity) openSession() error {
	if own, err := id.sec.ownSession(); err == nil && own != 0 {
		return nil
	}
	list, err := id.sec.sessions()
	if err != nil {
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot list the sessions of signed-in users: %v", err)}
	}
	for _, n := range sessionOrder(list, id.sec.consoleSession()) {
		id.base, err = id.sec.sessionToken(n)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD):
			return &Error{Kind: ErrPermission, Message: "the host has not the right to start programs on the desktop of the signed-in user", Hint: sessionHint}
		}
		id.base = 0 // a session without a user: at its sign-in screen, or just ending
	}
	return &Error{Kind: ErrNoSession, Message: "nobody is signed in"}
}

// sessionOrder is the order in which sessions are asked for a user: who sits at the screen, then who works from
// afar, then who is only away. Session 0 belongs to services.
func sessionOrder(list []session, console uint32) []uint32 {
	list = slices.DeleteFunc(slices.Clone(list), func(s session) bool {
		return s.id == 0 || s.state != windows.WTSActive && s.state != windows.WTSDisconnected
	})
	rank := func(s session) int {
		switch {
		case s.state != windows.WTSActive:
			return 2
		case s.id != console:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b session) int { return rank(a) - rank(b) })
	out := make([]uint32, len(list))
	for n, s := range list {
		out[n] = s.id
	}
	return out
}
