package osservice

import (
	"errors"
	"fmt"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// fakeSCM is a service control manager with at most one service. It keeps the structures that it is given,
// and answers with them.
type fakeSCM struct {
	t *testing.T

	// What there is, and what it can't do.
	name   string // of the service; empty: none
	config basics
	parts  map[uint32]unsafe.Pointer
	errs   map[string]error // by the name of a call, or "change2 LEVEL"
	unread map[uint32]bool  // levels that can't be queried

	// states are what status answers, one after the other; the last stays.
	states   []windows.SERVICE_STATUS_PROCESS
	onStatus func()
	lost     map[uint32]bool // processes that are gone

	calls    []string
	access   map[string]uint32 // rights asked for: "manager", "service"
	created  rawConfig
	changed  rawConfig
	controls []uint32
	handles  int
}

func newFakeSCM(t *testing.T) *fakeSCM {
	f := &fakeSCM{t: t, parts: map[uint32]unsafe.Pointer{}, errs: map[string]error{}, unread: map[uint32]bool{}, access: map[string]uint32{}}
	t.Cleanup(func() {
		if f.handles != 0 {
			t.Errorf("%d handles are open", f.handles)
		}
	})
	return f
}

// installed puts a service there as CreateService alone makes one.
func (f *fakeSCM) installed(name string, c basics) *fakeSCM {
	f.name, f.config = name, c
	f.parts = map[uint32]unsafe.Pointer{
		windows.SERVICE_CONFIG_DESCRIPTION:              unsafe.Pointer(&windows.SERVICE_DESCRIPTION{}),
		windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO:  unsafe.Pointer(&windows.SERVICE_DELAYED_AUTO_START_INFO{}),
		windows.SERVICE_CONFIG_FAILURE_ACTIONS:          unsafe.Pointer(&windows.SERVICE_FAILURE_ACTIONS{}),
		windows.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG:     unsafe.Pointer(&windows.SERVICE_FAILURE_ACTIONS_FLAG{}),
		windows.SERVICE_CONFIG_SERVICE_SID_INFO:         unsafe.Pointer(&sidInfo{}),
		windows.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO: unsafe.Pointer(&requiredPrivileges{}),
		windows.SERVICE_CONFIG_PRESHUTDOWN_INFO:         unsafe.Pointer(&preshutdownInfo{timeoutMs: 180000}),
	}
	return f
}

func (f *fakeSCM) call(name string) error {
	f.calls = append(f.calls, name)
	return f.errs[name]
}

func (f *fakeSCM) opened(call, kind string, access uint32) (windows.Handle, error) {
	f.access[kind] = access
	if err := f.call(call); err != nil {
		return 0, err
	}
	f.handles++
	return 7, nil
}

func (f *fakeSCM) manager(access uint32) (windows.Handle, error) {
	return f.opened("manager", "manager", access)
}

func (f *fakeSCM) create(_ windows.Handle, name string, c rawConfig) (windows.Handle, error) {
	f.created = c
	h, err := f.opened("create", "created", 0)
	if err == nil {
		f.installed(name, basics{})
	}
	return h, err
}

func (f *fakeSCM) open(_ windows.Handle, name string, access uint32) (windows.Handle, error) {
	if name != f.name {
		return 0, windows.ERROR_SERVICE_DOES_NOT_EXIST
	}
	return f.opened("open", "service", access)
}

func (f *fakeSCM) close(windows.Handle) { f.handles-- }

func (f *fakeSCM) change(_ windows.Handle, c rawConfig) error {
	f.changed = c
	return f.call("change")
}

func (f *fakeSCM) change2(_ windows.Handle, level uint32, info unsafe.Pointer) error {
	if err := f.call(fmt.Sprintf("change2 %d", level)); err != nil {
		return err
	}
	f.parts[level] = info
	return nil
}

func (f *fakeSCM) query(windows.Handle) (basics, error) { return f.config, f.call("query") }

// query2 answers with the structure itself, so that what it points to lives.
func (f *fakeSCM) query2(_ windows.Handle, level uint32) ([]byte, error) {
	p, ok := f.parts[level]
	if !ok || f.unread[level] {
		return nil, windows.ERROR_INVALID_LEVEL
	}
	return unsafe.Slice((*byte)(p), 4), nil
}

func (f *fakeSCM) start(windows.Handle) error { return f.call("start") }

func (f *fakeSCM) control(_ windows.Handle, code uint32) error {
	f.controls = append(f.controls, code)
	return f.call("control")
}

func (f *fakeSCM) status(windows.Handle) (windows.SERVICE_STATUS_PROCESS, error) {
	if f.onStatus != nil {
		f.onStatus()
	}
	if len(f.states) == 0 {
		return windows.SERVICE_STATUS_PROCESS{}, errors.New("no state was given")
	}
	s := f.states[0]
	if len(f.states) > 1 {
		f.states = f.states[1:]
	}
	return s, f.errs["status"]
}

func (f *fakeSCM) gone(pid uint32) bool { return f.lost[pid] }

func (f *fakeSCM) dependents(windows.Handle) ([]string, error) { return []string{"Web", "Mail"}, nil }

func (f *fakeSCM) remove(windows.Handle) error {
	err := f.call("remove")
	if err == nil {
		f.name = ""
	}
	return err
}

func (f *fakeSCM) logonRight(account string) error { return f.call("logonRight " + account) }

func (f *fakeSCM) computer() string { return "BOX" }

// part is the structure of a level that was requested or is there.
func part2[T any](f *fakeSCM, level uint32) T {
	f.t.Helper()
	p, ok := f.parts[level]
	if !ok {
		f.t.Fatalf("nothing was requested with level %d", level)
	}
	return *(*T)(p)
}

func state(current uint32) windows.SERVICE_STATUS_PROCESS {
	return windows.SERVICE_STATUS_PROCESS{CurrentState: current}
}
