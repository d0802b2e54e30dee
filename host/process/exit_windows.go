package process

import (
	"time"

	"golang.org/x/sys/windows"
)

// portMessage is called by the completion port for every message of a run: ours, that a wait is over,
// and those of its job. The latter may get lost, so they only cause a look at what is true.
func (b *backend) portMessage(key uintptr, message uint32) {
	limit := limitOf(message)
	if limit == "" && message != msgWaited && message != msgActiveProcessZero {
		return
	}
	b.mu.Lock()
	u := b.byKey[key]
	b.mu.Unlock()
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.process == 0 || u.gone:
	case limit != "":
		b.limitHit(u, limit)
	default:
		b.advance(u)
	}
}

// advance looks how far the end of a run has come: the main process first, then, with everything of the
// tree that could be opened, the rest. The handles decide, because a job counts a process out before
// its files and ports are free. u.mu is held.
func (b *backend) advance(u *run) {
	if u.exit == nil {
		if !signaled(u.process) {
			return
		}
		u.wait.stop()
		u.wait = nil
		b.ended(u)
		if !u.tree {
			u.killed = true
		}
	}
	for {
		if b.waitMember(u) {
			return
		}
		if activeProcesses(u.job) == 0 {
			b.vanished(u)
			return
		}
		opened := u.openMembers()
		if u.killed || onlyConsoleHosts(u.members) {
			_ = windows.TerminateJobObject(u.job, killedCode) // tried again while members are left
		}
		if opened == 0 {
			b.retry(u)
			return
		}
	}
}

// waitMember waits for the first member that has not ended and reports whether there is one.
func (b *backend) waitMember(u *run) bool {
	if u.wait != nil {
		if !signaled(u.wait.object) {
			return true
		}
		u.wait.stop()
		u.wait = nil
	}
	u.dropEnded()
	if len(u.members) == 0 {
		return false
	}
	w, err := waitFor(u.members[0].handle, b.post(u.key))
	if err != nil {
		b.retry(u)
		return true
	}
	u.wait = w
	return true
}

// retry looks again a little later: the job still counts members, but none of them can be opened.
func (b *backend) retry(u *run) {
	delay := min(10*time.Millisecond<<min(u.retries, 7), time.Second)
	u.retries++
	time.AfterFunc(delay, b.post(u.key))
}

// post returns what reports to the port that something of the run is over.
func (b *backend) post(key uintptr) func() {
	return func() { b.port.post(key, msgWaited) }
}

// killedCode is the exit code of processes that were ended by force, as with Task Manager.
const killedCode = 1

// kill ends everything in the run's job. It opens the members first, to know when they are really gone.
// u.mu is held.
func (b *backend) kill(u *run) error {
	u.openMembers()
	return windows.TerminateJobObject(u.job, killedCode)
}

// ended records the end of the main process. u.mu is held.
func (b *backend) ended(u *run) {
	var code uint32
	_ = windows.GetExitCodeProcess(u.process, &code) // the handle came with the process and has every right
	u.exit = &Exit{Code: int(code), At: time.Now(), PeakMemory: max(jobPeak(u.job), u.memory)}
	if u.stdin != 0 {
		windows.CloseHandle(u.stdin)
		u.stdin = 0
	}
	b.events.put(Event{Kind: Exited, Run: u.id, Exit: *u.exit})
}

// vanished records that nothing of the tree is left. u.mu is held.
func (b *backend) vanished(u *run) {
	u.gone = true
	close(u.over)
	b.events.put(Event{Kind: Gone, Run: u.id, Exit: *u.exit})
	b.dropLive()
}

func signaled(h windows.Handle) bool {
	r, err := windows.WaitForSingleObject(h, 0)
	return err == nil && r == windows.WAIT_OBJECT_0
}
