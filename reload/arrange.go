package reload

import (
	"errors"
	"fmt"
	"os"

	"github.com/fsnotify/fsnotify"

	"servicehost/host/human"
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

func (w *Watcher) watchLocked(p *places) (set bool) { return w.folders.arrange(p.folders) }

// folders are watched folders. What holds it sees to that one goroutine uses it at a time.
type folders struct {
	fs      *fsnotify.Watcher // nil where the system has none left
	trouble error
	watched map[string]os.FileInfo // by real folder; what it was when the watch was set
}

// arrange watches what is wanted and nothing else. It reports whether it set a new watch.
func (f *folders) arrange(want map[string]*namesOf) (set bool) {
	f.trouble = nil
	for dir, was := range f.watched {
		now, err := os.Stat(dir)
		if _, wanted := want[dir]; wanted && err == nil && os.SameFile(was, now) {
			continue
		}
		_ = f.fs.Remove(dir) // it may be gone with its folder
		delete(f.watched, dir)
	}
	for dir := range want {
		if _, ok := f.watched[dir]; ok {
			continue
		}
		fi, err := os.Stat(dir)
		if err == nil {
			err = f.fs.Add(dir)
		}
		switch {
		case err == nil:
			os.SameFile(fi, fi) // Windows looks its identity up only now
			f.watched[dir], set = fi, true
		case !errors.Is(err, os.ErrNotExist): // gone since: the folder above tells when it is back
			f.trouble = fmt.Errorf("cannot watch the folder %s, its files are looked at now and then instead: %w", human.Path(dir), err)
		}
	}
	return set
}
