package logs

import (
	"maps"
	"path/filepath"
	"slices"
	"time"
)

// startWorker is what the timer of a Set calls. One worker runs at a time.
func (s *Set) startWorker() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeAt = time.Time{}
	if s.working != nil {
		s.wakeBy(time.Now().Add(s.timing.first)) // look again when it is done
		return
	}
	if s.closing.Load() {
		return
	}
	s.working = make(chan struct{})
	go s.work(s.working)
}

// work sweeps if that is due, compresses what is due, and ends.
func (s *Set) work(done chan struct{}) {
	defer func() {
		s.mu.Lock()
		s.working = nil
		s.mu.Unlock()
		close(done)
	}()
	for busy := true; busy && !s.closing.Load(); {
		s.mu.Lock()
		due := !s.sweepAt.IsZero() && !time.Now().Before(s.sweepAt)
		if due {
			s.sweepAt = time.Time{}
		} else if !s.sweepAt.IsZero() {
			s.wakeBy(s.sweepAt)
		}
		s.mu.Unlock()
		s.writeIndexes()
		if due {
			s.sweep()
			s.mu.Lock()
			if len(s.writers) > 0 {
				s.orderSweep(time.Now().Add(s.timing.sweep))
			}
			s.mu.Unlock()
		}
		busy = s.compressRound()
	}
}

// sweep looks at each folder once: rotated files that are too old or too many go, leftovers of a
// compressor that was killed too, and what is not compressed yet is put in line.
func (s *Set) sweep() {
	s.mu.Lock()
	folders := make(map[string]map[string]*archive)
	for _, a := range s.writers {
		dir, base := filepath.Dir(a.path), filepath.Base(a.path)
		if folders[dir] == nil {
			folders[dir] = make(map[string]*archive)
		}
		folders[dir][base] = a
	}
	writers := slices.Collect(maps.Keys(s.writers))
	dir, known := s.budget.limits.Dir, maps.Clone(s.budget.strays)
	s.mu.Unlock()
	now := time.Now()
	for dir, logs := range folders {
		if s.closing.Load() {
			return
		}
		all := listFolder(dir, logs)
		for base, a := range logs {
			if a.swept(all[base], now) {
				s.enqueue(a, 0)
			}
		}
	}
	s.sweepStrays(dir, folders[dir], known)
	s.orderTrim(0)
	for _, w := range writers {
		w.lookAfter(now)
	}
}

// sweepStrays looks for logs that belong to no pipeline, which only the budget deletes.
func (s *Set) sweepStrays(dir string, logs, known map[string]*archive) {
	if dir == "" {
		return
	}
	strays := straysOf(dir, logs, known)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.budget.limits.Dir != dir {
		return
	}
	for path, a := range s.budget.strays {
		if known[path] == nil { // its pipeline was closed meanwhile
			strays[path] = a
		}
	}
	s.budget.strays = strays
}

// lookAfter is for a file that nobody has written to lately.
func (w *writer) lookAfter(now time.Time) {
	w.lock()
	defer w.unlock()
	if w.closed {
		return
	}
	w.turnQuietly(now)
	if w.lost != nil {
		w.resume(nil, now)
		return
	}
	if w.f != nil && now.Sub(w.wroteAt) > w.set.timing.check {
		// A file that was removed while its service is silent must not hold its space.
		if _, where := w.locate(); where != here {
			w.shut()
		}
	}
}
