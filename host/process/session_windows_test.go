package process

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/windows"
)

func TestSessionOrderPrefersWhoIsThere(t *testing.T) {
	list := []session{
		{0, windows.WTSDisconnected}, // the services
		{1, windows.WTSConnected},    // the sign-in screen
		{2, windows.WTSDisconnected},
		{3, windows.WTSActive},
		{4, windows.WTSActive},
		{65536, windows.WTSListen},
	}
	if got := sessionOrder(list, 4); !slices.Equal(got, []uint32{4, 3, 2}) {
		t.Errorf("order %v", got)
	}
	if got := sessionOrder(list, 0xFFFFFFFF); !slices.Equal(got, []uint32{3, 4, 2}) {
		t.Errorf("without a screen: %v", got)
	}
}

func TestRunJoinsTheSessionOfTheUser(t *testing.T) {
	sec := newRecorder()
	sec.console = 1
	sec.list = []session{{0, windows.WTSDisconnected}, {1, windows.WTSActive}, {2, windows.WTSActive}}
	sec.users[2] = "ann" // the first one is just signing out
	id, err := identify(sec, Request{UserSession: true}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	sec.checkCalls(t, "session 1", "session 2", "duplicate ann access 0x8b level 2 type 1", "environ copy")
	if id.desktop == nil || *id.desktop != `winsta0\default` {
		t.Errorf("desktop %v", id.desktop)
	}
	u := &run{who: id, job: 5}
	if jobs := u.jobs(7); !slices.Equal(jobs, []windows.Handle{5}) {
		t.Errorf("jobs %v: one of another session can't be in the outer job", jobs)
	}
	id.free()
	sec.checkClean(t)
}

func TestNobodySignedInIsAKindOfItsOwn(t *testing.T) {
	sec := newRecorder()
	sec.list = []session{{0, windows.WTSDisconnected}, {1, windows.WTSActive}}
	_, err := identify(sec, Request{UserSession: true}, nil, nil)
	var e *Error
	if !errors.As(err, &e) || e.Kind != ErrNoSession {
		t.Errorf("error %v", err)
	}
	if err := signedIn(sec); !errors.As(err, &e) || e.Kind != ErrNoSession {
		t.Errorf("signedIn: %v", err)
	}
	sec.users[1] = "ann"
	if err := signedIn(sec); err != nil {
		t.Errorf("signedIn: %v", err)
	}
	sec.checkClean(t)
}

func TestSessionNeedsLocalSystem(t *testing.T) {
	sec := newRecorder()
	sec.list = []session{{1, windows.WTSActive}}
	sec.fail["session"] = windows.ERROR_PRIVILEGE_NOT_HELD
	_, err := identify(sec, Request{UserSession: true}, nil, nil)
	var e *Error
	if !errors.As(err, &e) || e.Kind != ErrPermission || e.Hint == "" {
		t.Errorf("error %v", err)
	}
	if err := signedIn(sec); err != nil {
		t.Errorf("signedIn takes it for nobody: %v", err)
	}
	sec.checkClean(t)
}

func TestHostInASessionIsTheUser(t *testing.T) {
	sec := newRecorder()
	sec.session = 1
	if id, err := identify(sec, Request{UserSession: true}, nil, nil); id != nil || err != nil {
		t.Errorf("identity %+v, %v", id, err)
	}
	sec.checkCalls(t)
}

func TestSessionFailureLeavesNothing(t *testing.T) {
	for _, call := range []string{"duplicate", "environ", "sessions", "restrict"} {
		sec := newRecorder()
		sec.list = []session{{1, windows.WTSActive}}
		sec.users[1] = "ann"
		sec.fail[call] = windows.ERROR_INVALID_PARAMETER
		if id, err := identify(sec, Request{UserSession: true, RestrictedToken: true}, nil, nil); id != nil || err == nil {
			t.Errorf("%s fails: %v, %v", call, id, err)
		}
		sec.checkClean(t)
	}
}
