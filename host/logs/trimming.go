package logs

import (
	"cmp"
	"path/filepath"
	"slices"
	"time"

	"servicehost/spec"
)

// The sizes that auto stands for.
const (
	autoTotal, autoTotalShare = 10 << 30, 10
	autoFree, autoFreeShare   = 1 << 30, 20
)

func maxTotal(set, volume int64) int64 {
	if set == spec.AutoSize {
		return min(autoTotal, volume/autoTotalShare)
	}
	return set
}

func minFree(set, volume int64) int64 {
	if set == spec.AutoSize {
		return min(autoFree, volume/autoFreeShare)
	}
	return set
}

// trimming is one look at all archives.
type trimming struct {
	now     time.Time
	limits  spec.LogsDir
	look    func(dir string) (volume, error)
	volumes map[string]*volume // by folder; nil: can't be told
	users   []*user
	gone    evictions
	stuck   bool // a file could not be deleted
	partial bool // the sweep has not come to all logs yet
}

// user is one log.
type user struct {
	*archive
	size   int64
	volume *volume
}

// pool is logs that share a limit.
type pool struct {
	users []*user
	limit int64
}

func (s *Set) newTrimming() *trimming {
	s.mu.Lock()
	t := &trimming{now: time.Now(), limits: s.budget.limits, look: s.fs.volume, volumes: make(map[string]*volume)}
	all := s.archives()
	s.mu.Unlock()
	if s.budget.freed == nil {
		s.budget.freed = make(map[string]time.Time)
	}
	for _, a := range all {
		t.partial = t.partial || !a.known()
		v, _ := t.volume(filepath.Dir(a.path))
		if size := a.bytes.Load(); size > 0 {
			t.users = append(t.users, &user{archive: a, size: size, volume: v})
		}
	}
	return t
}

func (t *trimming) volume(dir string) (*volume, bool) {
	v, known := t.volumes[dir]
	if !known {
		if found, err := nearestVolume(t.look, dir); err == nil {
			v = &found
		}
		t.volumes[dir] = v
	}
	return v, v != nil
}

// byVolume groups the users whose volume can be told.
func (t *trimming) byVolume() map[string][]*user {
	m := make(map[string][]*user)
	for _, u := range t.users {
		if u.volume != nil {
			m[u.volume.id] = append(m[u.volume.id], u)
		}
	}
	return m
}

// pools are all users, or those of each volume where the limit depends on that.
func (t *trimming) pools() []pool {
	switch t.limits.MaxTotal {
	case 0:
		return nil
	case spec.AutoSize:
		var pools []pool
		for _, users := range t.byVolume() {
			pools = append(pools, pool{users, maxTotal(spec.AutoSize, users[0].volume.size)})
		}
		return pools
	}
	return []pool{{t.users, t.limits.MaxTotal}}
}

func (t *trimming) total(users []*user) (n int64) {
	for _, u := range users {
		n += u.size
	}
	return n
}

// take deletes until so many bytes are gone, each time the oldest file of who has most: who has less than
// others loses nothing to them. Of two that have the same it is who has the older one.
func (t *trimming) take(users []*user, excess int64, why reason) (freed int64) {
	users = slices.Clone(users)
	for freed < excess && len(users) > 0 {
		most := slices.MaxFunc(users, func(a, b *user) int {
			return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(b.oldest.Load(), a.oldest.Load()))
		})
		size, ok := most.evict(t.now)
		if !ok {
			t.stuck = true
			users = slices.DeleteFunc(users, func(u *user) bool { return u == most })
			continue
		}
		freed += size
		most.size -= size
		if v := most.volume; v != nil {
			v.free += size
		}
		t.gone.add(most.name(), size, why)
	}
	return freed
}
