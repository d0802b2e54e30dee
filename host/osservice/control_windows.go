package osservice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

const (
	// settled is how long a start waits for a service that runs to be ready: one with a broken spec says
	// RUNNING first, as every service should, and ends then.
	settled = 15 * time.Second
	// stuck is how long a service may be pending without a sign of progress.
	stuck = time.Minute
	// unseen is how long the SCM may take to see that a process is gone.
	unseen = 2 * time.Second
	// released is how long a deleted service may stay because some program has it open.
	released = 15 * time.Second
)

// verbs say what a service did not do that is not in the state that was waited for.
var verbs = map[uint32]string{windows.SERVICE_RUNNING: "start", windows.SERVICE_STOPPED: "stop"}

var errGone = errors.New("its process is gone, which the service manager has not seen yet")

// with opens a service with the least rights that do, and closes it.
func (m *manager) with(name string, access uint32, do func(h windows.Handle) error) error {
	db, err := m.api.manager(windows.SC_MANAGER_CONNECT)
	if err != nil {
		return err
	}
	defer m.api.close(db)
	h, err := m.api.open(db, name, access)
	if err != nil {
		return err
	}
	defer m.api.close(h)
	return do(h)
}

// look is the status, and whether the process is gone all the same: the SCM sees that a moment later, and
// that of Wine only when it is asked to start the service.
func (m *manager) look(h windows.Handle) (s windows.SERVICE_STATUS_PROCESS, gone bool, err error) {
	s, err = m.api.status(h)
	gone = err == nil && s.CurrentState != windows.SERVICE_STOPPED && s.ProcessId != 0 && m.api.gone(s.ProcessId)
	return s, gone, err
}

func (m *manager) start(ctx context.Context, name string) error {
	err := m.with(name, windows.SERVICE_START|windows.SERVICE_QUERY_STATUS, func(h windows.Handle) error {
		for {
			s, gone, err := m.look(h)
			switch {
			case err != nil:
				return err
			case s.CurrentState == windows.SERVICE_RUNNING && !gone:
				return nil
			case s.CurrentState == windows.SERVICE_STOP_PENDING:
				if _, err := m.wait(ctx, h, windows.SERVICE_STOPPED); err != nil {
					return err
				}
			}
			err = m.api.start(h)
			switch {
			case err == nil, errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) && !gone:
				if _, err := m.wait(ctx, h, windows.SERVICE_RUNNING); err != nil {
					return err
				}
				return m.settle(ctx, h)
			case !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING):
				return err
			}
			if err := pause(ctx, s); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return failed("start", name, err)
	}
	return nil
}

// settle waits until a service that runs is ready, or ends. One that is slow has started all the same.
func (m *manager) settle(ctx context.Context, h windows.Handle) error {
	for end := time.Now().Add(settled); time.Now().Before(end); {
		s, gone, err := m.look(h)
		if err != nil {
			return err
		}
		if s.CurrentState == windows.SERVICE_STOPPED {
			return ended(s)
		}
		switch {
		case gone:
			return errGone
		case s.ControlsAccepted&windows.SERVICE_ACCEPT_PARAMCHANGE != 0:
			return nil
		}
		if err := pause(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (m *manager) stop(ctx context.Context, name string) error {
	err := m.with(name, windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS|windows.SERVICE_ENUMERATE_DEPENDENTS,
		func(h windows.Handle) error { return m.stopOpened(ctx, h) })
	if err != nil {
		return failed("stop", name, err)
	}
	return nil
}

func (m *manager) stopOpened(ctx context.Context, h windows.Handle) error {
	s, err := m.api.status(h)
	if err != nil || s.CurrentState == windows.SERVICE_STOPPED {
		return err
	}
	// What it held, the lock on its state above all, is free only when its process is gone.
	gone := processEnd(s.ProcessId)
	defer gone.close()
	// A service that is stopping is never asked again.
	for s.CurrentState != windows.SERVICE_STOP_PENDING && s.CurrentState != windows.SERVICE_STOPPED {
		err := m.api.control(h, windows.SERVICE_CONTROL_STOP)
		switch {
		case err == nil, errors.Is(err, windows.ERROR_BROKEN_PIPE), errors.Is(err, windows.ERROR_NO_DATA):
			// Without its pipe the process is going, and the SCM about to see that.
			s.CurrentState = windows.SERVICE_STOP_PENDING
			continue
		case errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE):
			return nil
		case errors.Is(err, windows.ERROR_DEPENDENT_SERVICES_RUNNING):
			if names, listErr := m.api.dependents(h); listErr == nil && len(names) > 0 {
				return fmt.Errorf("services that depend on it still run; stop them first: %s", strings.Join(names, ", "))
			}
			return err
		case !errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL):
			return err
		}
		if pauseErr := pause(ctx, s); pauseErr != nil { // it is starting
			return errors.Join(err, pauseErr)
		}
		if s, err = m.api.status(h); err != nil {
			return err
		}
	}
	if _, err := m.wait(ctx, h, windows.SERVICE_STOPPED); err != nil {
		return err
	}
	gone.wait(ctx)
	return nil
}

// wait waits until the service is in a state. It gives up when ctx ends, when the service ends instead of
// running, and when it shows no progress: neither state nor checkpoint has changed for long.
func (m *manager) wait(ctx context.Context, h windows.Handle, want uint32) (windows.SERVICE_STATUS_PROCESS, error) {
	var last windows.SERVICE_STATUS_PROCESS
	var missed time.Time // since when the process has been gone
	moved := time.Now()
	pending := false
	for {
		s, gone, err := m.look(h)
		if err != nil {
			return s, err
		}
		if !gone {
			missed = time.Time{}
		} else if missed.IsZero() {
			missed = time.Now()
		}
		switch {
		case s.CurrentState == want && !gone:
			return s, nil
		case gone && time.Since(missed) > unseen && want == windows.SERVICE_STOPPED:
			return s, nil
		case gone && time.Since(missed) > unseen:
			return s, errGone
		case s.CurrentState == windows.SERVICE_STOPPED && (pending || s.Win32ExitCode != 0):
			return s, ended(s)
		case s.CurrentState != last.CurrentState || s.CheckPoint != last.CheckPoint:
			last, moved = s, time.Now()
		}
		pending = pending || s.CurrentState != windows.SERVICE_STOPPED
		patience := max(stuck, 2*time.Duration(s.WaitHint)*time.Millisecond)
		if time.Since(moved) > patience {
			return s, fmt.Errorf("it is %s, and has made no progress for %s", stateOf(s), human.Duration(patience))
		}
		if err := pause(ctx, s); err != nil {
			return s, fmt.Errorf("it did not %s in time, it is %s: %w", verbs[want], stateOf(s), err)
		}
	}
}

// pause lets a tenth of what the service asks for pass, within bounds that suit a person who waits.
func pause(ctx context.Context, s windows.SERVICE_STATUS_PROCESS) error {
	d := min(max(time.Duration(s.WaitHint)*time.Millisecond/10, 100*time.Millisecond), 500*time.Millisecond)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *manager) uninstall(ctx context.Context, name string) error {
	access := uint32(windows.DELETE | windows.SERVICE_STOP | windows.SERVICE_QUERY_STATUS | windows.SERVICE_ENUMERATE_DEPENDENTS)
	err := m.with(name, access, func(h windows.Handle) error {
		if err := m.stopOpened(ctx, h); err != nil {
			return err
		}
		if err := m.api.remove(h); !errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE) {
			return err
		}
		return nil // somebody has deleted it before, and it may be going
	})
	if err == nil {
		err = m.waitGone(ctx, name)
	}
	if err != nil {
		return failed("uninstall", name, err)
	}
	return nil
}

// waitGone waits until nobody knows the service any more: a deletion is only a mark until every handle is closed.
func (m *manager) waitGone(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, released, windows.ERROR_SERVICE_MARKED_FOR_DELETE)
	defer cancel()
	for {
		err := m.with(name, windows.SERVICE_QUERY_STATUS, func(windows.Handle) error { return nil })
		switch {
		case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
			return nil
		case err != nil && !errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
			return err
		}
		if err := pause(ctx, windows.SERVICE_STATUS_PROCESS{}); err != nil {
			return windows.ERROR_SERVICE_MARKED_FOR_DELETE
		}
	}
}

// exited is a process whose end is waited for.
type exited windows.Handle

func processEnd(pid uint32) exited {
	if pid == 0 {
		return 0
	}
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, pid)
	if err != nil {
		return 0 // not ours to wait for
	}
	return exited(h)
}

func (e exited) wait(ctx context.Context) {
	for end := time.Now().Add(5 * time.Second); e != 0 && time.Now().Before(end) && ctx.Err() == nil; {
		if event, err := windows.WaitForSingleObject(windows.Handle(e), 100); err != nil || event == windows.WAIT_OBJECT_0 {
			return
		}
	}
}

func (e exited) close() {
	if e != 0 {
		_ = windows.CloseHandle(windows.Handle(e))
	}
}
