package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

var newline = []byte{'\n'}

// writer puts one stream, or two that share a file, into the current file and rotates it.
// The zero value with set is ready once configure was called.
type writer struct {
	set  *Set
	tail tail

	written      atomic.Int64
	lines        atomic.Int64 // ends of lines among them
	linesDropped atomic.Int64
	bytesDropped atomic.Int64
	dropping     atomic.Pointer[string]

	name   atomic.Pointer[string] // path of the last spec
	next   atomic.Pointer[config]
	mu     sync.Mutex
	id     string
	path   string
	format spec.LogFormat // of the host's own lines
	closed bool

	maxSize int64
	archive *archive // what was rotated, of path

	f       logFile
	fid     fileID
	size    int64
	midLine bool      // the file's last byte is not a newline
	whole   bool      // what is being written are whole lines
	checkAt time.Time // when to look again whether f is the file at path
	wroteAt time.Time
	index   marks

	period      period
	turnAt      time.Time // when it ends; zero: never
	cutNext     bool      // rotate at the next line end, whatever the size
	rotateAt    time.Time // not to be rotated before
	rotateFails int
	stuck       bool // EventTrouble was sent for rotation

	held      *hold // output waits for the file to be unlocked
	lost      *loss // output is dropped
	retry     time.Duration
	goodSince time.Time // end of the last loss
	events    []Event   // to be sent when mu is free
}

// config is what a spec says about one file.
type config struct {
	id, path string
	log      spec.Log
}

// configure is called with each new spec. It does not wait for a write that hangs: what can't be taken
// over at once is by whoever gets mu next.
func (w *writer) configure(id, path string, cfg spec.Log) {
	w.name.Store(&path)
	w.next.Store(&config{id: id, path: path, log: cfg})
	if w.mu.TryLock() {
		w.take()
		w.unlock()
	}
}

// lock gets mu and takes over what configure left.
func (w *writer) lock() {
	w.mu.Lock()
	if w.next.Load() != nil {
		w.take()
	}
}

// take needs mu, as everything below that doesn't lock it.
func (w *writer) take() {
	c := w.next.Swap(nil)
	if c == nil || w.closed {
		return
	}
	w.id, w.format = c.id, c.log.Format
	w.maxSize = c.log.MaxSize
	w.setPeriod(w.set.period(c.log), time.Now())
	w.index.on = c.log.Format == spec.FormatRaw
	moved := c.path != w.path || w.archive == nil
	if moved {
		if w.archive != nil {
			w.archive.left.Store(true)
		}
		w.archive = &archive{path: c.path}
	}
	work := w.archive.configure(c)
	if moved {
		w.shut()
		w.index = marks{on: w.index.on}
		w.path, w.cutNext = c.path, false
		w.rotateAt, w.rotateFails, w.stuck = time.Time{}, 0, false
		if w.lost != nil {
			w.lost.retryAt = time.Time{}
		}
		work = true
	}
	if work {
		w.set.register(w, w.archive)
	}
}

// write puts one chunk into the file or drops it. It reports false if the writer is closed.
func (w *writer) write(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	w.lock()
	if w.closed {
		w.mu.Unlock()
		return false
	}
	w.tail.add(p)
	w.put(p, time.Now())
	w.unlock()
	return true
}

// writeRecords is write for whole lines, of which none is left in the file by half. They aren't kept for Tail.
func (w *writer) writeRecords(p []byte, now time.Time) bool {
	if len(p) == 0 {
		return true
	}
	w.lock()
	if w.closed {
		w.mu.Unlock()
		return false
	}
	w.whole = true
	w.put(p, now)
	w.unlock()
	return true
}

// unlock frees mu and tells what happened meanwhile.
func (w *writer) unlock() {
	events := w.events
	w.events, w.whole = nil, false
	w.mu.Unlock()
	for _, e := range events {
		w.set.tell(e)
	}
}

// roomTries is how often in a row old files are deleted for one write.
const roomTries = 3

// put writes or drops p.
func (w *writer) put(p []byte, now time.Time) {
	switch {
	case w.lost != nil:
		if p = w.resume(p, now); len(p) == 0 {
			return
		}
	case w.f == nil || !now.Before(w.checkAt):
		err := w.ready(now)
		if isFull(err) && w.set.makeRoom(w.path) {
			err = w.ready(now)
		}
		if err != nil {
			if !w.keepHeld(err, p) {
				w.fail(err, w.takeHeld(p), now)
			}
			return
		}
		if p = w.takeHeld(p); len(p) == 0 {
			return
		}
	}
	w.turn(now)
	w.wroteAt = now
	tries := 0
	if w.whole && w.midLine {
		if err := w.endLine(); err != nil {
			w.fail(err, p, now)
			return
		}
	}
	for {
		n := w.fits(p, now)
		if n > 0 {
			m, err := w.f.Write(p[:n])
			w.advance(p[:m])
			if err != nil {
				p = p[w.takeBack(p, m):]
				if tries++; tries <= roomTries && isFull(err) && w.set.makeRoom(w.path) {
					continue
				}
				w.fail(err, p, now)
				return
			}
			if p = p[n:]; len(p) == 0 {
				return
			}
		}
		if err := w.rotate(now); err != nil {
			w.fail(err, p, now)
			return
		}
	}
}

// advance accounts for bytes that are in the file.
func (w *writer) advance(p []byte) {
	if len(p) == 0 {
		return
	}
	if w.index.on {
		w.mark(p, w.wroteAt)
	}
	w.size += int64(len(p))
	w.midLine = p[len(p)-1] != '\n'
	w.written.Add(int64(len(p)))
	w.lines.Add(int64(bytes.Count(p, newline))) // 64 KiB in about 1 µs
}

// ready has f be the file at path, opening or reopening it where needed.
func (w *writer) ready(now time.Time) error {
	w.checkAt = now.Add(w.set.timing.check)
	if w.f == nil {
		return w.open(now)
	}
	switch info, where := w.locate(); where {
	case here:
		// Something may have cut it short: copytruncate.
		if info.size < w.size {
			w.dropIndex()
		}
		w.size = info.size
		w.midLine = w.midLine && info.size > 0
		return nil
	case removed:
		// On Windows the name is free only once the last handle is closed.
		w.shut()
		return w.open(now)
	default:
		w.reopen(now)
		return nil
	}
}

// where says what became of the open file.
type where int

const (
	here    where = iota // path still names it
	moved                // path names another file or nothing
	removed              // it has no name any more
)

func (w *writer) locate() (fileInfo, where) {
	info, err := pathInfo(w.path)
	if err == nil && info.id == w.fid {
		return info, here
	}
	own, ownErr := w.f.info()
	switch {
	case ownErr == nil && own.gone:
		return own, removed
	case err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLink):
		return own, moved
	}
	return fileInfo{size: w.size}, here // can't be told
}

// open opens the file at path. One that is too large already, or of an earlier day or hour, or that has another name too (which
// somebody may have given it who wants to be written to), is moved aside first.
func (w *writer) open(now time.Time) error {
	f, err := w.set.fs.open(w.path)
	if err != nil {
		return err
	}
	info, err := f.info()
	if err != nil {
		f.Close()
		return err
	}
	w.adopt(f, info)
	past := (w.maxSize > 0 && info.size >= w.maxSize) || w.stale(info, now)
	if w.lost != nil && w.midLine {
		past = false // the half line at its end is to be ended first
	}
	if info.links <= 1 && !past {
		return nil
	}
	if err := w.rotate(now); err != nil {
		return err
	}
	if info.links > 1 && w.fid == info.id {
		w.shut()
		return fmt.Errorf("the file has %d names and can't be moved aside", info.links)
	}
	return nil
}

// reopen goes over to the file that is at path now and reports whether it could; else the old one goes on.
func (w *writer) reopen(now time.Time) bool {
	f, fid, size, midLine := w.f, w.fid, w.size, w.midLine
	w.f = nil
	if err := w.open(now); err != nil {
		w.f, w.fid, w.size, w.midLine = f, fid, size, midLine
		w.stick(fmt.Sprintf("cannot open log %s, which was moved away: %s; its output still goes to the old file", human.Path(w.path), cause(err)))
		return false
	}
	f.Close()
	w.unstick()
	return true
}

// adopt takes f for the current file.
func (w *writer) adopt(f logFile, info fileInfo) {
	w.f, w.fid, w.size, w.midLine = f, info.id, info.size, false
	w.beginIndex(info)
	if info.size > 0 {
		var last [1]byte
		if n, _ := f.ReadAt(last[:], info.size-1); n == 1 {
			w.midLine = last[0] != '\n'
		}
	}
}

// shut closes the current file; the next byte opens it again.
func (w *writer) shut() {
	if w.f != nil {
		w.endIndex()
		w.f.Close()
		w.f = nil
	}
	w.size, w.midLine = 0, false
}

// stick tells once that the file can't be rotated or followed; output is still written.
func (w *writer) stick(text string) {
	if !w.stuck {
		w.stuck = true
		w.event(Event{Kind: EventTrouble, Text: text})
	}
}

func (w *writer) unstick() {
	w.rotateFails, w.rotateAt = 0, time.Time{}
	if w.stuck {
		w.stuck = false
		w.event(Event{Kind: EventRecovered, Text: fmt.Sprintf("log %s is rotated again", human.Path(w.path))})
	}
}

func (w *writer) event(e Event) {
	e.ID, e.Path = w.id, w.path
	w.events = append(w.events, e)
}

// streamEnded is called when a stream of the writer has come to its end.
func (w *writer) streamEnded() {
	w.tail.end()
	w.lock()
	defer w.unlock()
	if w.lost != nil && !w.closed {
		w.lost.endLine(w)
		w.resume(nil, time.Now())
	}
}

func (w *writer) tellReadError(err error) {
	w.mu.Lock()
	defer w.unlock()
	w.event(Event{Kind: EventTrouble, Text: fmt.Sprintf("cannot read output of %q any more: %s", w.id, cause(err))})
}

// close ends the writer, bounded also when a write hangs; then the file is closed when that returns.
func (w *writer) close() {
	w.set.unregister(w)
	if w.mu.TryLock() {
		if w.f == nil && w.held == nil && w.lost == nil {
			w.closed = true
			w.unlock()
			return
		}
		w.mu.Unlock()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.mu.Lock()
		defer w.unlock()
		w.lastHeld()
		if w.lost != nil {
			w.lost.endLine(w)
			w.lost.retryAt = time.Time{}
			w.resume(nil, time.Now())
		}
		w.abandon()
		w.shut()
		w.closed = true
	}()
	select {
	case <-done:
	case <-time.After(w.set.timing.closing):
	}
}

func (w *writer) addStats(s *Stats) {
	s.BytesWritten += w.written.Load()
	s.LinesWritten += w.lines.Load()
	s.LinesDropped += w.linesDropped.Load()
	s.BytesDropped += w.bytesDropped.Load()
	if why := w.dropping.Load(); why != nil {
		s.Dropping = *why
	}
}
