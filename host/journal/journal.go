package journal

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/host/jsonl"
)

// Options bound a journal on disk. Zero values mean the defaults.
type Options struct {
	// SegmentSize is the size in bytes at which a new file is begun; 2 MiB.
	SegmentSize int64
	// Segments is the number of files kept, the current one counted; 4.
	Segments int
	// Recent is the number of events kept in memory; 256.
	Recent int
}

const (
	defaultSegmentSize = 2 << 20
	defaultSegments    = 4
	defaultRecent      = 256
	// maxPending bounds what waits in memory while the disk does not take it. A host that stops thousands of services
	// appends thousands of events before the writer has its turn.
	maxPending = 4 << 20
)

// Journal is the writing end; one per state folder. All methods may be called from any goroutine.
type Journal struct {
	dir  string
	opts Options

	mu      sync.Mutex
	seq     uint64
	recent  []Event // a ring once it is full
	oldest  int     // index of the oldest element of the full ring
	subs    map[*subscriber]struct{}
	pending []byte // whole lines that are not on disk yet
	lost    int    // events that found no room in pending
	writing bool   // a writer goroutine is there
	onDisk  uint64 // all events up to this one are in the file, or counted as lost
	moved   *sync.Cond
	err     error // of the last write, nil when it went well
	closed  bool

	w segmentWriter // owned by the writer goroutine; by Open and Close while there is none
}

// Open opens the journal in dir, which is created where it is missing, and cuts off what a crash left
// of a last line. Only one process may have it open: the caller holds the lock of the state folder.
func Open(dir string, o Options) (*Journal, error) {
	if o.SegmentSize <= 0 {
		o.SegmentSize = defaultSegmentSize
	}
	if o.Segments <= 0 {
		o.Segments = defaultSegments
	}
	if o.Recent <= 0 {
		o.Recent = defaultRecent
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot open the journal: %w", err)
	}
	j := &Journal{dir: dir, opts: o, subs: map[*subscriber]struct{}{}}
	j.moved = sync.NewCond(&j.mu)
	j.w = segmentWriter{dir: dir, size: o.SegmentSize, keep: o.Segments}
	if err := j.w.open(o.Recent, j.remember); err != nil {
		return nil, fmt.Errorf("cannot open the journal in %s: %w", human.Path(dir), err)
	}
	j.onDisk = j.seq
	return j, nil
}

// remember puts an event into the ring of recent ones.
func (j *Journal) remember(e Event) {
	j.seq = max(j.seq, e.Seq)
	if len(j.recent) < j.opts.Recent {
		j.recent = append(j.recent, e)
		return
	}
	j.recent[j.oldest] = e
	j.oldest = (j.oldest + 1) % len(j.recent)
}

// Append gives the event its Seq, and its Time where that is zero, hands it to the subscribers and
// sees to it that it reaches the file soon. It waits for nobody: neither a slow subscriber nor a
// disk that hangs or is full holds it up. It returns the event as it was recorded.
func (j *Journal) Append(e Event) Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.appendLocked(e)
}

func (j *Journal) appendLocked(e Event) Event {
	j.seq++
	e.Seq = j.seq
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.Round(0)
	e = clip(e)
	j.remember(e)
	for s := range j.subs {
		s.deliver(e)
	}
	if j.closed {
		return e
	}
	j.queue(&e)
	j.kick()
	return e
}

// queue puts the event behind what is to be written, unless that is too much.
func (j *Journal) queue(e *Event) {
	had := len(j.pending)
	lines, at := jsonl.Begin(j.pending)
	lines, err := appendEvent(lines, e)
	if err != nil { // a time beyond year 9999
		e.Time = time.Now().Round(0)
		lines, at = jsonl.Begin(lines[:had])
		lines, err = appendEvent(lines, e)
	}
	if err != nil || len(lines) > maxPending {
		j.lost++
		j.pending = lines[:had]
		return
	}
	j.pending = jsonl.End(lines, at)
}

// kick sees to it that a writer goroutine is there.
func (j *Journal) kick() {
	if !j.writing {
		j.writing = true
		go j.write()
	}
}

// write brings to disk what is pending and ends; the next Append starts it again.
func (j *Journal) write() {
	j.mu.Lock()
	defer j.mu.Unlock()
	var spare []byte
	for len(j.pending) > 0 {
		batch, upTo := j.pending, j.seq
		j.pending = spare[:0]
		j.mu.Unlock()
		err := j.w.write(batch)
		j.mu.Lock()
		if j.err = err; err != nil {
			// Keep it, in order; the next Append tries again.
			j.pending = append(batch, j.pending...)
			break
		}
		j.onDisk = upTo
		j.moved.Broadcast()
		if spare = batch; cap(spare) > 64<<10 {
			spare = nil
		}
		if j.lost > 0 && len(j.pending) == 0 {
			reason := fmt.Sprintf("%d events are missing in the journal: the disk did not take them", j.lost)
			j.lost = 0
			j.appendLocked(Event{Kind: Warning, Reason: reason})
		}
	}
	if cap(j.pending) > 64<<10 && len(j.pending) == 0 {
		j.pending = nil
	}
	j.writing = false
	j.moved.Broadcast()
}

// Flush waits until everything appended before is in the file (not yet on the platter) and returns
// the error that keeps it from being there, if any.
func (j *Journal) Flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.flushLocked()
}

func (j *Journal) flushLocked() error {
	upTo := j.seq
	if len(j.pending) > 0 {
		j.kick() // an error may have left it behind
	}
	for j.onDisk < upTo && j.writing {
		j.moved.Wait()
	}
	return j.err
}

// Err is the error of the last write, nil when it went well.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Recent returns the newest n events, oldest first.
func (j *Journal) Recent(n int) []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	n = min(max(n, 0), len(j.recent))
	out := make([]Event, 0, n)
	for i := len(j.recent) - n; i < len(j.recent); i++ {
		out = append(out, j.recent[(j.oldest+i)%len(j.recent)])
	}
	return out
}

// Close writes what is pending, syncs the file and ends all subscriptions. Events appended later
// reach nobody.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	for s := range j.subs {
		j.dropLocked(s)
	}
	err := j.flushLocked()
	for j.writing {
		j.moved.Wait()
	}
	j.mu.Unlock()
	if err = errors.Join(err, j.w.close()); err != nil {
		return fmt.Errorf("cannot write the journal in %s: %w", human.Path(j.dir), err)
	}
	return nil
}
