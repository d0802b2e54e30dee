package process

import (
	"bytes"
	"time"
)

// warmCgroups keeps the cgroups of runs that ended by themselves for the next run of the same instance. To delete one and
// to make one takes the kernel longer than all that the host does between the end of a process and the start of the next,
// under one lock for all cgroups of the machine. It belongs to backend.mu.
type warmCgroups struct {
	byOwner map[RunID]warmCgroup // Incarnation 0
	sweeps  bool                 // a sweep is to come
}

type warmCgroup struct {
	*cgroup
	since time.Time
}

// warmKept is how long one waits for the next run: a restart that comes later may take the time to make one.
const warmKept = 3 * time.Second

// owner is who may use the cgroup of a run again: its instance. A task has none.
func owner(id RunID) RunID {
	id.Incarnation = 0
	return id
}

// keepWarm keeps the cgroup of a run whose main process has ended, and reports whether it did: whether nothing else of
// the tree is left, so that the run is over. What was asked to end is not expected back. b.mu is held.
func (s *system) keepWarm(u *run) bool {
	g := u.cg
	if g == nil || g.counted || u.asked || u.killed || u.id.Task != "" || s.b.closed || !g.deserted() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fd < 0 || g.events >= 0 {
		return false
	}
	w := &s.warm
	if w.byOwner == nil {
		w.byOwner = map[RunID]warmCgroup{}
	}
	if _, ok := w.byOwner[owner(u.id)]; ok { // of a run beside this one
		return false
	}
	w.byOwner[owner(u.id)] = warmCgroup{&cgroup{dir: g.dir, fd: g.fd, events: -1, used: true}, time.Now()}
	g.fd, g.deleted = -1, true // nothing of it is this run's any more
	if !w.sweeps {
		w.sweeps = true
		time.AfterFunc(warmKept, s.coolDown)
	}
	return true
}

// takeWarm returns the cgroup of the last run of the same instance, nil if it is not kept.
func (s *system) takeWarm(id RunID) *cgroup {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	w, ok := s.warm.byOwner[owner(id)]
	if !ok {
		return nil
	}
	delete(s.warm.byOwner, owner(id))
	return w.cgroup
}

// coolDown deletes those whose next run did not come.
func (s *system) coolDown() {
	var old []*cgroup
	s.b.mu.Lock()
	for id, w := range s.warm.byOwner {
		if s.b.closed || time.Since(w.since) >= warmKept {
			old = append(old, w.cgroup)
			delete(s.warm.byOwner, id)
		}
	}
	if s.warm.sweeps = len(s.warm.byOwner) > 0; s.warm.sweeps {
		time.AfterFunc(warmKept, s.coolDown)
	}
	s.b.mu.Unlock()
	for _, g := range old {
		g.remove()
	}
}

// deserted reports whether nothing is in the cgroup but zombies, and no cgroup below it.
func (g *cgroup) deserted() bool {
	if g.nested() {
		return false
	}
	l := lookers.Get().(*looker)
	defer lookers.Put(l)
	return bytes.Contains(l.drain(g.open(l, "cgroup.events"), false), []byte("populated 0"))
}

// beginUse notes what earlier runs in the cgroup used. The new one is just started: what it used by now is too little to
// be missed.
func (g *cgroup) beginUse() {
	if g == nil || !g.used {
		return
	}
	l := lookers.Get().(*looker)
	defer lookers.Put(l)
	n, _ := g.cpu(l)
	g.before.Store(int64(n))
}
