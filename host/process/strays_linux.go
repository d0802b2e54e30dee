package process

import (
	"strings"

	"golang.org/x/sys/unix"
)

// strays finds, where there are no cgroups, what left its process group: such a process becomes a child
// of ours when its parents die, and still has HOST_RUN in its environment. Runs that end at about the
// same time share one look.
type strays struct {
	sys     *system
	pending map[*run]bool // guarded by backend.mu
	wake    chan struct{}
	stop    chan struct{}
	done    chan struct{}
}

func newStrays(s *system) *strays {
	t := &strays{sys: s, pending: map[*run]bool{}, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go t.loop()
	return t
}

// look asks for u to be finished once it has no stray. b.mu is held.
func (t *strays) look(u *run) {
	if !t.sys.b.opt.Subreaper {
		t.sys.finish(u) // strays go to another parent: nothing to be found
		return
	}
	t.pending[u] = true
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *strays) loop() {
	defer close(t.done)
	for {
		select {
		case <-t.wake:
			t.once()
		case <-t.stop:
			return
		}
	}
}

func (t *strays) once() {
	b := t.sys.b
	b.mu.Lock()
	batch := t.pending
	t.pending = map[*run]bool{}
	known, killed := map[int]bool{}, map[*run]bool{}
	for pid := range t.sys.byPID {
		known[pid] = true
	}
	for u := range batch {
		killed[u] = u.killed
	}
	b.mu.Unlock()

	found := map[string]bool{}
	for _, pid := range children() {
		if known[pid] {
			continue
		}
		if m := markerOf(pid); strings.HasPrefix(m, b.nonce+":") {
			for u := range batch {
				if m != b.marker(u.id) {
					continue
				}
				found[m] = true
				if killed[u] { // else it is what keeps a whole tree up
					unix.Kill(pid, unix.SIGKILL) // a child of ours, not reaped: the number is still its own
				}
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for u := range batch {
		if u.gone {
			continue
		}
		if !found[b.marker(u.id)] {
			t.sys.finish(u)
		} // else: its death brings SIGCHLD, a sweep and another look
	}
}

func (t *strays) close() {
	close(t.stop)
	<-t.done
}
