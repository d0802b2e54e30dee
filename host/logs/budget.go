package logs

import (
	"path/filepath"
	"sync"
	"time"

	"servicehost/spec"
)

// budget is what the rotated files of all logs may take together.
type budget struct {
	mu     sync.Mutex           // one at a time takes from the archives
	freed  map[string]time.Time // by volume, when files were deleted for min_free
	limits spec.LogsDir         // these and what follows are guarded by Set.mu
	strays map[string]*archive  // by path: logs in limits.Dir that belong to no pipeline
	timer  *time.Timer          // runs trim at at
	at     time.Time

	told   time.Time // when deletions were told last
	untold evictions
	stats  SetStats
}

// SetStats are counts over all pipelines since the host began.
type SetStats struct {
	RotatedBytes int64 // in rotated files now, which host.logs.max_total bounds
	EvictedFiles int64 // rotated files that were deleted early, for host.logs.max_total or min_free
	EvictedBytes int64
}

// Stats never waits for a disk.
func (s *Set) Stats() SetStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.budget.stats
	for _, a := range s.archives() {
		st.RotatedBytes += a.bytes.Load()
	}
	return st
}

// Limit bounds the rotated files of all pipelines, and those in l.Dir that belong to none any more, from now
// on. Without it they are bounded by what each log's own spec says.
func (s *Set) Limit(l spec.LogsDir) {
	l.Dir = filepath.Clean(l.Dir)
	s.mu.Lock()
	if l.Dir != s.budget.limits.Dir {
		s.budget.strays = nil
	}
	s.budget.limits = l
	if len(s.writers) > 0 {
		s.orderSweep(time.Now().Add(s.timing.first)) // it finds strays
	}
	s.mu.Unlock()
	s.orderTrim(s.timing.trim)
}

// adopt keeps count of a log that has lost its pipeline. It needs Set.mu.
func (b *budget) adopt(a *archive) {
	if path := filepath.Clean(a.path); filepath.Dir(path) == b.limits.Dir {
		if b.strays == nil {
			b.strays = make(map[string]*archive)
		}
		b.strays[path] = a
	}
}

// archives needs s.mu.
func (s *Set) archives() []*archive {
	paths := make(map[string]bool, len(s.writers))
	all := make([]*archive, 0, len(s.writers)+len(s.budget.strays))
	for _, a := range s.writers {
		paths[filepath.Clean(a.path)] = true
		all = append(all, a)
	}
	for path, a := range s.budget.strays {
		if !paths[path] {
			all = append(all, a)
		}
	}
	return all
}

// orderTrim has the budget looked at after the given time.
func (s *Set) orderTrim(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.budget
	if s.closing.Load() || b.limits == (spec.LogsDir{Dir: b.limits.Dir}) {
		return
	}
	at := time.Now().Add(after)
	if !b.at.IsZero() && !at.Before(b.at) {
		return
	}
	b.at = at
	if b.timer == nil {
		b.timer = time.AfterFunc(after, s.trim)
	} else {
		b.timer.Reset(after)
	}
}

// trim deletes what the budget doesn't allow, and tells.
func (s *Set) trim() {
	s.mu.Lock()
	s.budget.at = time.Time{}
	s.mu.Unlock()
	if s.closing.Load() {
		return
	}
	s.budget.mu.Lock()
	t := s.newTrimming()
	if t.partial { // the sweep orders another look at its end
		s.budget.mu.Unlock()
		return
	}
	for _, p := range t.pools() {
		t.take(p.users, t.total(p.users)-p.limit, whyTotal)
	}
	again := false
	for id, users := range t.byVolume() {
		v := users[0].volume
		need := minFree(t.limits.MinFree, v.size) - v.free
		switch {
		case need <= 0:
		case t.now.Sub(s.budget.freed[id]) < s.timing.settled:
			again = true // what was deleted a moment ago may not be free yet
		case t.take(users, need, whyFree) > 0:
			s.budget.freed[id] = t.now
			again = true
		}
	}
	s.budget.mu.Unlock()
	s.evicted(t)
	s.tellEvictions(t.now)
	switch {
	case again:
		s.orderTrim(s.timing.settled)
	case t.stuck: // somebody has it open, on Windows
		s.orderTrim(s.timing.retryMax)
	}
}

// makeRoom deletes some of the oldest files of the volume on which path could not be written, if the budget
// wants that, and reports whether something was deleted. It waits for nobody long.
func (s *Set) makeRoom(path string) bool {
	const room = 4 << 20
	if s.limit().MinFree == 0 || !s.budget.lockSoon() {
		return false
	}
	t := s.newTrimming()
	v, ok := t.volume(filepath.Dir(path))
	freed := int64(0)
	if ok {
		freed = t.take(t.byVolume()[v.id], min(room, minFree(t.limits.MinFree, v.size)), whyFree)
	}
	s.budget.mu.Unlock()
	s.evicted(t)
	s.orderTrim(0)
	return freed > 0
}

// lockSoon gives up where somebody deletes files on a disk that hangs.
func (b *budget) lockSoon() bool {
	for range 50 {
		if b.mu.TryLock() {
			return true
		}
		time.Sleep(2 * time.Millisecond)
	}
	return false
}

func (s *Set) limit() spec.LogsDir {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.budget.limits
}
