package logs

import (
	"errors"
	"fmt"
	"os"
	"time"

	"servicehost/host/human"
)

// compressAll works off the queue, one file of each log at a time. It is called by the worker only.
func (s *Set) compressAll() {
	for !s.closing.Load() {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.mu.Unlock()
			return
		}
		round := s.queue
		s.queue = nil
		for _, w := range round {
			w.queued = false
		}
		s.mu.Unlock()
		busy := false
		for _, w := range round {
			more, wait := w.compressNext()
			if more {
				s.enqueue(w, wait)
			}
			busy = busy || (more && wait == 0)
		}
		if !busy {
			return
		}
	}
}

// compressNext compresses the oldest rotated file that is due. It reports whether there are others,
// and after what time the next is due.
func (w *writer) compressNext() (more bool, wait time.Duration) {
	path, r, to, wait, ok := w.nextPlain()
	if !ok || wait > 0 {
		return ok, wait
	}
	c := newPacking(path, r, to)
	err := c.run(func() bool { return w.set.closing.Load() || r.ms < w.oldest.Load() })
	w.lock()
	defer w.unlock()
	i := w.indexOf(r.ms)
	if path == w.path && i < 0 || errors.Is(err, errAborted) {
		c.discard()
		return true, 0
	}
	if err == nil {
		err = c.finish()
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil // somebody else deleted it
	}
	if path != w.path {
		return true, 0
	}
	if err != nil {
		w.rotated[i].due = w.set.sinceEpoch() + w.set.timing.sweep.Milliseconds()
		if !w.packFailed {
			w.packFailed = true
			w.event(Event{Kind: EventTrouble, Text: fmt.Sprintf("cannot compress %s: %s; it stays as it is for now", human.Path(c.plain), cause(err))})
		}
		return true, 0
	}
	w.rotated[i].form = c.form
	if w.packFailed {
		w.packFailed = false
		w.event(Event{Kind: EventRecovered, Text: fmt.Sprintf("rotated files of log %s are compressed again", human.Path(w.path))})
	}
	return true, 0
}

// nextPlain returns the oldest file that isn't compressed; wait is 0 if it is due.
func (w *writer) nextPlain() (path string, r rotated, to form, wait time.Duration, ok bool) {
	w.lock()
	defer w.unlock()
	if w.closed {
		return "", rotated{}, 0, 0, false
	}
	now := w.set.sinceEpoch()
	for _, x := range w.rotated {
		if !w.unpacked(x) {
			continue
		}
		if x.due <= now {
			return w.path, x, w.pack, 0, true
		}
		if d := time.Duration(x.due-now) * time.Millisecond; !ok || d < wait {
			r, wait, ok = x, d, true
		}
	}
	return w.path, r, w.pack, wait, ok
}

// unpacked reports whether the compressor has work with r: where nothing is to be compressed that is what it
// left half done.
func (w *writer) unpacked(r rotated) bool {
	return r.form&formPlain != 0 && (w.pack != 0 || r.form&formPacked != 0)
}

func (w *writer) indexOf(ms int64) int {
	for i, r := range w.rotated {
		if r.ms == ms {
			return i
		}
	}
	return -1
}
