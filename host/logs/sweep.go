package logs

import (
	"os"
	"path/filepath"
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
	s.compressAll()
}

// sweep looks at each folder once: rotated files that are too old or too many go, leftovers of a
// compressor that was killed too, and what is not compressed yet is put in line.
func (s *Set) sweep() {
	s.mu.Lock()
	folders := make(map[string]map[string]*writer)
	for w, path := range s.writers {
		dir, base := filepath.Dir(path), filepath.Base(path)
		if folders[dir] == nil {
			folders[dir] = make(map[string]*writer)
		}
		folders[dir][base] = w
	}
	s.mu.Unlock()
	for dir, writers := range folders {
		if s.closing.Load() {
			return
		}
		all := listFolder(dir, writers)
		for base, w := range writers {
			w.swept(filepath.Join(dir, base), all[base])
		}
	}
}

// swept takes what a sweep found of the log at path, and looks after a file nobody has written to lately.
// It is called by the worker, so no compression of this Set is under way.
func (w *writer) swept(path string, all found) {
	now := time.Now()
	w.lock()
	defer w.unlock()
	if w.closed || filepath.Clean(w.path) != path {
		return
	}
	for _, t := range all.temps {
		name := rotatedPath(w.path, t.ms, t.form)
		if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
			_ = os.Remove(name) // what can't be removed now is tried again at the next sweep
		}
	}
	for _, r := range all.rotated {
		w.rotated = mergeRotated(w.rotated, r)
	}
	w.prune(now)
	for _, r := range w.rotated {
		if w.unpacked(r) {
			w.set.enqueue(w, 0)
			break
		}
	}
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
