package logs

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"servicehost/host/human"
)

// fits returns how much of p belongs into the current file: all of it, or up to the line end at which
// the file is to be rotated. Only the chunk that crosses the limit is looked at.
func (w *writer) fits(p []byte, now time.Time) int {
	if !w.cutNext && (w.maxSize <= 0 || w.size+int64(len(p)) <= w.maxSize) {
		return len(p)
	}
	if now.Before(w.rotateAt) {
		return len(p) // it could not be rotated a moment ago
	}
	room := 0
	if !w.cutNext {
		room = int(max(0, w.maxSize-w.size))
		if i := bytes.LastIndexByte(p[:room], '\n'); i >= 0 {
			return i + 1
		}
	}
	if !w.midLine && w.size > 0 {
		return 0
	}
	// The line at the limit began before it: it is kept whole, if it ends in reach.
	if i := bytes.IndexByte(p[room:], '\n'); i >= 0 {
		return room + i + 1
	}
	if over := w.size + int64(len(p)) - w.maxSize; w.maxSize > 0 && over > reach {
		return len(p) - int(min(over-reach, int64(len(p))))
	}
	return len(p)
}

// Failed renames are tried again soon at first: a virus scanner or a reader lets go of the file.
const (
	quickTries = 10
	quickRetry = 50 * time.Millisecond
)

// rotate renames the current file and opens a new one. If it can't, the current file goes on and it is
// tried again later; only if there is no file at all any more an error is returned.
func (w *writer) rotate(now time.Time) error {
	switch _, where := w.locate(); where {
	case moved:
		if w.cutNext = false; !w.reopen(now) {
			w.rotateAt = now.Add(w.set.timing.check)
		}
		return nil
	case removed:
		w.cutNext = false
		w.shut()
		return w.open(now)
	}
	ms := w.archive.next(now)
	to := rotatedPath(w.path, ms, formPlain)
	if err := w.set.fs.rename(w.path, to); err != nil {
		w.rotateFailed(err, now)
		return nil
	}
	f, err := w.set.fs.open(w.path)
	var info fileInfo
	if err == nil {
		if info, err = f.info(); err != nil {
			f.Close()
		}
	}
	if err != nil {
		if w.set.fs.rename(to, w.path) == nil {
			w.rotateFailed(err, now)
			return nil
		}
		w.shut()
	}
	w.renameIndex(to, now)
	entry := rotated{ms: ms, form: formPlain, due: w.set.sinceEpoch() + w.set.timing.compress.Milliseconds(), size: w.size}
	compress := w.archive.add(entry, now)
	if err != nil {
		return err
	}
	w.shut()
	w.adopt(f, info)
	w.cutNext = false
	w.unstick()
	w.set.orderTrim(w.set.timing.trim)
	if compress {
		w.set.enqueue(w.archive, w.set.timing.compress)
	}
	return nil
}

func (w *writer) rotateFailed(err error, now time.Time) {
	w.rotateFails++
	if w.rotateFails < quickTries {
		w.rotateAt = now.Add(quickRetry)
		return
	}
	w.rotateAt = now.Add(w.set.timing.retry)
	w.stick(fmt.Sprintf("cannot rotate log %s: %s; it is written to further", human.Path(w.path), cause(err)))
}

// rotateNow is Rotate for one file, bounded also when a write hangs.
func (w *writer) rotateNow() error {
	done := make(chan error, 1)
	go func() { done <- w.rotateSoon() }()
	timer := time.NewTimer(w.set.timing.closing)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("cannot rotate log %s: its disk does not answer; it is rotated when it does", human.Path(*w.name.Load()))
	}
}

func (w *writer) rotateSoon() error {
	w.lock()
	defer w.unlock()
	if w.closed {
		return nil
	}
	if w.lost != nil {
		w.cutNext = w.cutNext || w.size > 0 // there is no room for another file now
		return nil
	}
	now := time.Now()
	if w.f == nil {
		if _, err := os.Lstat(w.path); err != nil {
			return nil // nothing was written yet
		}
	}
	if err := w.ready(now); err != nil {
		return fmt.Errorf("cannot rotate log %s: %s", human.Path(w.path), cause(err))
	}
	if w.size == 0 {
		return nil
	}
	if w.midLine && now.Sub(w.wroteAt) < time.Second {
		w.cutNext = true
		return nil
	}
	before := w.fid
	if err := w.rotate(now); err != nil {
		w.fail(err, nil, now)
		return fmt.Errorf("cannot rotate log %s: %s", human.Path(w.path), cause(err))
	}
	if w.fid == before {
		return fmt.Errorf("cannot rotate log %s: it can't be renamed; it is tried again as output arrives", human.Path(w.path))
	}
	return nil
}
