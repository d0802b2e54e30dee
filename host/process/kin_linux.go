package process

import (
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// kin knows, where there are no cgroups, who belongs to a run: its main process, all that descends from it by the
// kernel's own lists, and what became a child of ours when its parents died. Nobody else's process is looked at.
// A kernel without those lists (CONFIG_PROC_CHILDREN) shows the main processes only.
type kin struct {
	sys *system

	mu      sync.Mutex
	at      time.Time // of the look at the adopted
	adopted []adopted
	former  []adopted
}

// adopted is a child of ours that we did not start.
type adopted struct {
	pid, group int
	created    int64
	mark       string // HOST_RUN
	asked      bool   // for the mark
}

// kinAge is how long a look at the adopted serves.
const kinAge = 500 * time.Millisecond

// tree adds the members of a run to use and leaves their numbers in l.pids.
func (k *kin) tree(l *looker, use *Usage, u *run, main int, ended bool) {
	l.pids = l.pids[:0]
	if !ended {
		l.branch(main, use)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	young := time.Since(k.at) < kinAge
	if !young {
		k.look(l)
	}
	k.join(l, use, u, main)
	if young && len(l.pids) == 0 { // it became ours since
		k.look(l)
		k.join(l, use, u, main)
	}
}

// join adds the adopted of a run, and what descends from them. k.mu is held.
func (k *kin) join(l *looker, use *Usage, u *run, main int) {
	for n := range k.adopted {
		a := &k.adopted[n]
		if a.group != main {
			if !a.asked {
				a.mark, a.asked = markerOf(a.pid), true
			}
			if a.mark != k.sys.b.marker(u.id) {
				continue
			}
		}
		if !slices.Contains(l.pids, a.pid) {
			l.branch(a.pid, use)
		}
	}
}

// branch adds a process and all that descends from it.
func (l *looker) branch(pid int, use *Usage) {
	n := len(l.pids)
	for l.pids = append(l.pids, pid); n < len(l.pids); n++ {
		pid := l.pids[n]
		s, ok := l.add(pid, use)
		if !ok {
			continue
		}
		if s.threads == 1 {
			l.children(pid, pid)
			l.pids = numbers(l.pids, l.readAll())
			continue
		}
		l.listThreads(pid)
		for _, thread := range l.threads {
			l.children(pid, thread)
			l.pids = numbers(l.pids, l.readAll())
		}
	}
}

// listThreads leaves the threads of a process in l.threads.
func (l *looker) listThreads(pid int) {
	l.threads = l.threads[:0]
	l.proc(pid, "task")
	fd := l.open(unix.AT_FDCWD, unix.O_RDONLY|unix.O_DIRECTORY)
	if fd < 0 {
		return
	}
	defer unix.Close(fd)
	l.entries(fd, func(name []byte) { l.threads = numbers(l.threads, name) })
}

// look finds the adopted. k.mu is held.
func (k *kin) look(l *looker) {
	k.at = time.Now()
	k.former, k.adopted = k.adopted, k.former[:0]
	var pids []int
	self := os.Getpid()
	l.listThreads(self)
	for _, thread := range l.threads {
		l.children(self, thread)
		pids = numbers(pids, l.readAll())
	}
	for _, pid := range k.sys.strangers(pids) {
		s, ok := l.stat(pid)
		if !ok {
			continue
		}
		a := adopted{pid: pid, group: s.group, created: s.created}
		for _, f := range k.former {
			if f.pid == a.pid && f.created == a.created {
				a.mark, a.asked = f.mark, f.asked
			}
		}
		k.adopted = append(k.adopted, a)
	}
}

// strangers leaves out of pids those that we started.
func (s *system) strangers(pids []int) []int {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	return slices.DeleteFunc(pids, func(pid int) bool {
		return s.byPID[pid] != nil || s.guard != nil && s.guard.pid == pid
	})
}
