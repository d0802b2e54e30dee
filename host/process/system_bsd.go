//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package process

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sysRun is what the BSDs and macOS keep for a run: nothing beyond the process group.
type sysRun struct{ reaped bool }

// system is the BSD half of the backend: exits come from one kqueue, a tree is a process group. What
// makes a session of its own escapes, and nothing ends the children of a killed host: these systems
// have neither cgroups nor a parent-death signal.
type system struct {
	b     *backend
	kq    int
	wake  *os.File
	byPID map[int]*run // guarded by backend.mu
	done  chan struct{}
}

func newSystem(b *backend) (*system, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, fmt.Errorf("cannot make a kqueue: %w", err)
	}
	unix.CloseOnExec(kq)
	r, w, err := os.Pipe()
	if err != nil {
		unix.Close(kq)
		return nil, err
	}
	s := &system{b: b, kq: kq, wake: w, byPID: map[int]*run{}, done: make(chan struct{})}
	var ev unix.Kevent_t
	unix.SetKevent(&ev, int(r.Fd()), unix.EVFILT_READ, unix.EV_ADD)
	if _, err := unix.Kevent(kq, []unix.Kevent_t{ev}, nil, nil); err != nil {
		unix.Close(kq)
		return nil, err
	}
	go s.loop(r)
	return s, nil
}

func (s *system) loop(r *os.File) {
	defer close(s.done)
	defer r.Close()
	var events [64]unix.Kevent_t
	for {
		n, err := unix.Kevent(s.kq, nil, events[:], nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			if e.Filter == unix.EVFILT_READ {
				return
			}
			s.b.mu.Lock()
			if u := s.byPID[int(e.Ident)]; u != nil {
				s.mainEnded(u)
			}
			s.b.mu.Unlock()
		}
	}
}

func (s *system) prepare(u *run, r Request, _ *syscall.ProcAttr) error {
	s.b.notLimited(u, r.Limits, "this system has no cgroups")
	return nil
}

func (s *system) abandon(*run) {}
func (s *system) release(*run) {}

func (s *system) spawn(u *run, path string, argv []string, attr *syscall.ProcAttr, o *order) error {
	pid, err := s.b.forkExec(u, path, argv, attr, o)
	if err != nil {
		return err
	}
	s.b.mu.Lock()
	u.ident = Identity{PID: pid, Created: time.Now().UnixNano()}
	s.byPID[pid] = u
	s.b.mu.Unlock()
	return nil
}

func (s *system) watch(u *run) {
	var ev unix.Kevent_t
	unix.SetKevent(&ev, u.ident.PID, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	ev.Fflags = unix.NOTE_EXIT
	_, err := unix.Kevent(s.kq, []unix.Kevent_t{ev}, nil, nil)
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.b.closed {
		_ = s.kill(u) // Close tells if it does not go
	}
	if err != nil { // ESRCH: it is a zombie already
		s.mainEnded(u)
	}
}

// mainEnded ends the rest of the group before it reaps the main process, whose number is the group's.
// b.mu is held.
func (s *system) mainEnded(u *run) {
	if u.exit != nil {
		return
	}
	if !u.tree {
		_ = s.kill(u) // mostly nothing is left to kill
	}
	var ws syscall.WaitStatus
	var used syscall.Rusage
	for {
		_, err := syscall.Wait4(u.ident.PID, &ws, 0, &used)
		if err != syscall.EINTR {
			break
		}
	}
	u.reaped = true
	delete(s.byPID, u.ident.PID)
	e := exitOf(ws)
	e.PeakMemory = peakOf(&used)
	s.b.ended(u, e)
	if s.groupEmpty(u) {
		s.b.vanished(u)
		return
	}
	go s.waitGroup(u)
}

func (s *system) groupEmpty(u *run) bool { return unix.Kill(-u.ident.PID, 0) == unix.ESRCH }

// waitGroup waits for orphans of the group, which launchd or init reaps: nobody tells us when.
func (s *system) waitGroup(u *run) {
	for d := time.Millisecond; ; d = min(2*d, 500*time.Millisecond) {
		select {
		case <-s.done:
			return
		case <-time.After(d):
		}
		s.b.mu.Lock()
		if s.groupEmpty(u) {
			s.b.vanished(u)
			s.b.mu.Unlock()
			return
		}
		s.b.mu.Unlock()
	}
}

func (s *system) signal(u *run, sig syscall.Signal) error { return unix.Kill(-u.ident.PID, sig) }
func (s *system) kill(u *run) error                       { return unix.Kill(-u.ident.PID, unix.SIGKILL) }

func (s *system) close() {
	_, _ = s.wake.Write([]byte{0}) // fails where the loop has ended already
	<-s.done
	s.wake.Close()
	unix.Close(s.kq)
}

func pipe() (fds [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err = unix.Pipe(fds[:]); err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	return fds, err
}

// helperMain: a child with an order is the only helper on this system.
func helperMain(args []string) (bool, int) {
	if args[0] == helperExec {
		return true, execMain()
	}
	return true, 2
}
