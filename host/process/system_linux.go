package process

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// sysRun is what Linux keeps for a run.
type sysRun struct {
	pidfd  int          // -1: none, or the exit is known
	cg     *cgroup      // nil: only a process group
	reaped bool         // the main process is reaped
	asked  bool         // a signal was sent, which may be to end it
	killed bool         // force was used: nothing of the tree may stay
	memory atomic.Int64 // the most that a look saw
	idle   idle         // the last look
}

// system is the Linux half of the backend: exits come from pidfds in one epoll set, trees are cgroups
// where that is allowed and process groups else.
type system struct {
	b       *backend
	cgroups *cgroups
	warm    warmCgroups
	spawner *spawner
	forking atomic.Int32 // forks whose child is not registered yet
	again   atomic.Bool  // a sweep met a child that may be one of those
	poll    *poller
	rests   rests
	guard   *guard
	strays  *strays
	kin     kin
	byFD    map[int32]*run // pidfds and cgroup.events; guarded by backend.mu
	byPID   map[int]*run   // main processes not reaped; guarded by backend.mu
}

func newSystem(b *backend) (*system, error) {
	s := &system{b: b, byFD: map[int32]*run{}, byPID: map[int]*run{}}
	if !b.opt.NoCgroup {
		c, err := newCgroups("servicehost-" + strconv.Itoa(os.Getpid()) + "-" + b.nonce[:6])
		if err != nil {
			b.opt.Warn(fmt.Sprintf("no cgroup for the services (%v): their trees are followed by process group and parentage", err))
		}
		s.cgroups = c
	}
	if b.opt.Subreaper {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("cannot become a child subreaper: %w", err)
		}
	}
	p, err := newPoller(s.ready)
	if err != nil {
		return nil, err
	}
	s.poll, s.rests.poll = p, p
	s.strays = newStrays(s)
	s.kin.sys = s
	s.spawner = newSpawner(s.sweep)
	if b.opt.Guard {
		s.guard = &guard{sys: s}
		if err := s.guard.start(); err != nil {
			b.opt.Warn(fmt.Sprintf("no guard (%v): a killed host would leave grandchildren behind", err))
			s.guard = nil
		}
	}
	return s, nil
}

func (s *system) prepare(u *run, r Request, attr *syscall.ProcAttr) error {
	u.pidfd = -1
	attr.Sys.PidFD = &u.pidfd
	attr.Sys.Pdeathsig = syscall.SIGKILL
	if s.cgroups == nil {
		s.b.notLimited(u, r.Limits, "the host has no cgroup for its services")
		return nil
	}
	name := u.id.Service + "." + strconv.Itoa(u.id.Instance) + "-" + strconv.FormatUint(u.id.Incarnation, 10)
	if u.id.Task != "" {
		name += "-" + u.id.Task
	}
	if len(cgroupSettings(r.Limits)) == 0 {
		u.cg = s.takeWarm(u.id)
	}
	if u.cg == nil {
		cg, err := s.limited(u, r.Limits, name)
		if err != nil {
			return err
		}
		u.cg = cg
	}
	attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, u.cg.fd
	return nil
}

func (s *system) abandon(u *run) {
	if u.pidfd >= 0 {
		unix.Close(u.pidfd)
		u.pidfd = -1
	}
	if u.cg != nil {
		u.cg.remove()
	}
}

// spawn forks on a thread of the spawner and has the run registered before anything can reap it.
func (s *system) spawn(u *run, path string, argv []string, attr *syscall.ProcAttr, o *order) error {
	var id Identity
	err := error(syscall.ECANCELED)
	s.spawner.do(func(files forkFiles) {
		var own *syscall.ProcAttr
		if own, err = files.adapt(attr); err != nil {
			return
		}
		defer files.drop(own)
		s.forking.Add(1)
		before := bootTicks()
		if id.PID, err = s.b.forkExec(u, path, argv, own, o); err != nil {
			s.forked()
			return
		}
		if id.Created = before; before == 0 || bootTicks() != before { // else there is nothing to look up
			id.Created = created(id.PID)
		}
	})
	if err != nil {
		return err
	}
	defer s.forked()
	if u.pidfd < 0 { // the one that clone gives is the thread's
		if u.pidfd, err = unix.PidfdOpen(id.PID, 0); err != nil {
			u.pidfd = -1
		}
	}
	s.b.mu.Lock()
	u.ident = id
	s.byPID[id.PID] = u
	s.b.mu.Unlock()
	return nil
}

// watch begins to wait for the end of the main process.
func (s *system) watch(u *run) {
	u.cg.beginUse()
	s.rests.take(u.outputs)
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if u.gone {
		return // SIGCHLD was faster
	}
	s.guard.add(u)
	s.watchLimits(u)
	if s.b.closed {
		_ = s.kill(u) // Close tells if it does not go
	}
	if u.pidfd < 0 {
		return // ended already, or no pidfds here: SIGCHLD finds it
	}
	s.byFD[int32(u.pidfd)] = u
	if err := s.poll.add(u.pidfd, unix.EPOLLIN); err != nil {
		s.b.opt.Warn(fmt.Sprintf("cannot watch process %d by its descriptor: %v", u.ident.PID, err))
	}
}

// ready is called by the poller: a main process has ended, or a cgroup changed.
func (s *system) ready(fd int32) {
	if s.rests.ready(fd) {
		return
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	u := s.byFD[fd]
	switch {
	case u == nil:
	case int(fd) == u.pidfd:
		s.mainEnded(u)
	case u.cg != nil && int(fd) == u.cg.events:
		s.check(u)
	default:
		s.limitsHit(u, false)
	}
}

// mainEnded takes note of the exit of the main process, ends the rest of its tree unless the tree
// keeps the run up, and reaps it only then: until then its number can't be another's. b.mu is held.
func (s *system) mainEnded(u *run) {
	if u.exit != nil {
		return
	}
	e, alone, ok := s.reapMain(u)
	if !ok {
		return
	}
	if u.pidfd >= 0 {
		delete(s.byFD, int32(u.pidfd))
		unix.Close(u.pidfd)
		u.pidfd = -1
	}
	u.reaped = true
	delete(s.byPID, u.ident.PID)
	s.limitsHit(u, true) // it may be why
	s.b.ended(u, e)
	if alone {
		s.finish(u)
		return
	}
	s.check(u)
}

// reapMain ends what the main process leaves behind and reaps it. It says whether that process was alone, so that
// nothing is left to wait for, and whether it has ended at all. b.mu is held.
func (s *system) reapMain(u *run) (e Exit, alone, ok bool) {
	if alone = s.keepWarm(u) || u.cg.leave(); alone {
		e, ok = reapExit(u.ident.PID)
	} else if e, ok = peek(u.ident.PID); ok {
		if !u.tree {
			_ = s.kill(u) // what can't be killed is waited for
		}
		reap(u.ident.PID)
	}
	e.PeakMemory = u.peakMemory(e)
	return e, alone, ok
}

// check declares the run gone once nothing of its tree is left. b.mu is held.
func (s *system) check(u *run) {
	if u.gone || u.exit == nil {
		return
	}
	if u.cg == nil {
		if reapGroup(u.ident.PID) {
			s.strays.look(u)
		}
		return
	}
	first := u.cg.events < 0
	if !u.cg.populated() {
		s.finish(u)
		return
	}
	if first {
		s.byFD[int32(u.cg.events)] = u
		if err := s.poll.add(u.cg.events, unix.EPOLLPRI); err != nil {
			s.b.opt.Warn(fmt.Sprintf("cannot watch the cgroup of process %d: %v", u.ident.PID, err))
		}
	}
}

// finish declares u gone. b.mu is held. The cgroup folder stays until Ack: deleting it takes longer
// than all else here, and a restart waits for this.
func (s *system) finish(u *run) {
	s.limitsHit(u, true)
	s.forgetLimits(u)
	if u.cg != nil && u.cg.events >= 0 {
		delete(s.byFD, int32(u.cg.events))
		unix.Close(u.cg.events)
		u.cg.events = -1
	}
	s.guard.remove(u)
	s.b.vanished(u)
}

// release frees what is left of an acknowledged run.
func (s *system) release(u *run) {
	if u.cg != nil {
		u.cg.remove()
	}
}

// signal reaches the process group of the run; where the main process of a tree has ended already,
// every process of its cgroup. b.mu is held.
func (s *system) signal(u *run, sig syscall.Signal) error {
	u.asked = true
	if u.reaped && u.cg != nil {
		for _, pid := range u.cg.procs() {
			signalMember(u.cg, pid, sig)
		}
		return nil
	}
	return unix.Kill(-u.ident.PID, sig)
}

// signalMember signals a process only while it is a member of the cgroup: its number was read a moment ago.
func signalMember(g *cgroup, pid int, sig syscall.Signal) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if slices.Contains(g.procs(), pid) {
		unix.PidfdSendSignal(fd, sig, nil, 0)
	}
}

// kill ends the tree by force. b.mu is held.
func (s *system) kill(u *run) error {
	u.killed = true
	if u.cg != nil {
		if u.exit == nil || u.cg.populated() {
			if err := u.cg.kill(); err != nil {
				return err
			}
		}
		return nil
	}
	err := unix.Kill(-u.ident.PID, unix.SIGKILL)
	if u.exit != nil && err == unix.ESRCH {
		s.check(u) // only strays are left
		return nil
	}
	return err
}

// forked ends what spawn began, and has a sweep repeated that could not tell whose child it met.
func (s *system) forked() {
	if s.forking.Add(-1); s.again.Swap(false) {
		s.spawner.sweepSoon()
	}
}

// sweep runs after SIGCHLD. It reaps what became ours by its parent's death, and looks at the groups
// that have no cgroup.
func (s *system) sweep() {
	if s.b.opt.Subreaper {
		for {
			pid := anyDead()
			if pid == 0 {
				break
			}
			forking := s.forking.Load() // before the look-up: who is dead and was forked by then is registered
			s.b.mu.Lock()
			u := s.byPID[pid]
			if u != nil {
				s.mainEnded(u)
			}
			s.b.mu.Unlock()
			if u != nil {
				continue
			}
			if forking > 0 {
				s.again.Store(true)
				if s.forking.Load() > 0 {
					break
				}
				continue
			}
			reap(pid)
			s.guard.ended(pid)
		}
	} else if s.guard != nil && s.guard.dead() {
		s.guard.ended(s.guard.pid)
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.cgroups != nil && s.b.opt.Subreaper {
		return
	}
	for _, u := range s.b.runs {
		if u.ident.PID == 0 {
			continue // it is being started, and its fields belong to that until it has a number
		}
		if u.exit == nil && u.pidfd < 0 {
			s.mainEnded(u)
		} else if u.cg == nil {
			s.check(u)
		}
	}
}

func (s *system) close() {
	s.guard.quit() // it takes a few milliseconds to end, in which the rest is done
	s.coolDown()
	s.spawner.close()
	s.strays.close()
	s.poll.close()
	if s.cgroups != nil {
		s.cgroups.close()
	}
	s.guard.wait()
}

func reap(pid int) {
	for {
		_, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		if err != syscall.EINTR {
			return
		}
	}
}

// reapGroup reaps dead members of a group that are ours and reports whether none of ours is left.
func reapGroup(pgid int) (done bool) {
	for {
		pid, err := syscall.Wait4(-pgid, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR, pid > 0:
		case err != nil:
			return true // ECHILD
		default:
			return false
		}
	}
}

// anyDead returns a dead child that is not reaped, or 0.
func anyDead() int {
	var si unix.Siginfo
	for {
		err := unix.Waitid(unix.P_ALL, 0, &si, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || si.Signo == 0 {
			return 0
		}
		return int(childInfo(&si).pid)
	}
}
