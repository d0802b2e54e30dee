package logs

import (
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watch says which logs may have changed.
type watch struct {
	all    []*follower
	byPath map[string]*follower
	dirty  map[*follower]bool
	fs     *fsnotify.Watcher
	events chan fsnotify.Event
	errors chan error
	missed map[string]bool // folders that could not be watched, yet
}

func newWatch(all []*follower) *watch {
	w := &watch{all: all, byPath: make(map[string]*follower), dirty: make(map[*follower]bool), missed: make(map[string]bool)}
	for _, t := range all {
		w.byPath[filepath.Clean(t.Path)] = t
		w.missed[filepath.Dir(t.Path)] = true
	}
	if f := newNotifier(); f != nil {
		w.fs, w.events, w.errors = f, f.Events, f.Errors
		w.retry()
	}
	return w
}

// retry watches folders that are there now; the ticks do without it where it can't be.
func (w *watch) retry() {
	if w.fs == nil {
		return
	}
	for dir := range w.missed {
		if err := w.fs.Add(dir); err == nil {
			delete(w.missed, dir)
		}
	}
}

// every is the time between two looks at everything: rarely where changes are told.
func (w *watch) every() time.Duration {
	if w.fs == nil || len(w.missed) > 0 {
		return pollUntold
	}
	return pollTold
}

func (w *watch) markAll() {
	w.retry()
	for _, t := range w.all {
		w.dirty[t] = true
	}
}

func (w *watch) event(e fsnotify.Event, ok bool) {
	if !ok {
		w.events = nil
		return
	}
	if t := w.byPath[filepath.Clean(e.Name)]; t != nil {
		w.dirty[t] = true
		return
	}
	if dir := filepath.Clean(e.Name); e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		for _, t := range w.all {
			if filepath.Dir(t.Path) == dir { // the folder itself
				w.missed[dir] = true
			}
		}
	}
}

func (w *watch) trouble(_ error, ok bool) {
	if !ok {
		w.errors = nil
	}
	w.markAll() // events were lost
}

// poll takes what events there are without waiting.
func (w *watch) poll() {
	for {
		select {
		case e, ok := <-w.events:
			if w.event(e, ok); !ok {
				return
			}
		default:
			return
		}
	}
}

func (w *watch) close() {
	if w.fs != nil {
		w.fs.Close()
	}
}
