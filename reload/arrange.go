package reload

import (
	"errors"
	"fmt"
	"os"
)

// arrangeLocked sets the watches that the file system as it is now asks for, and returns the files to
// look at. It comes before reading, so that nothing written in between is missed; and it looks again
// once a watch was set, for a folder may have appeared before it was.
func (w *Watcher) arrangeLocked() map[string]bool {
	var p *places
	for range maxRounds {
		p = findPlaces(w.inputs)
		w.wantMu.Lock()
		w.want = p.folders
		w.wantMu.Unlock()
		if w.fs == nil || !w.watchLocked(p) {
			break
		}
	}
	return p.files
}

const maxRounds = 8

// watchLocked reports whether it set a new watch.
func (w *Watcher) watchLocked(p *places) (set bool) {
	w.trouble = nil
	for dir, was := range w.watched {
		now, err := os.Stat(dir)
		if _, wanted := p.folders[dir]; wanted && err == nil && os.SameFile(was, now) {
			continue
		}
		_ = w.fs.Remove(dir) // it may be gone with its folder
		delete(w.watched, dir)
	}
	for dir := range p.folders {
		if _, ok := w.watched[dir]; ok {
			continue
		}
		fi, err := os.Stat(dir)
		if err == nil {
			err = w.fs.Add(dir)
		}
		switch {
		case err == nil:
			os.SameFile(fi, fi) // Windows looks its identity up only now
			w.watched[dir], set = fi, true
		case !errors.Is(err, os.ErrNotExist): // gone since: the folder above tells when it is back
			w.trouble = fmt.Errorf("cannot watch the folder %q, its files are looked at twice a second instead: %w", dir, err)
		}
	}
	return set
}
