package logs

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"servicehost/spec"
)

// Source is the receiving end of one stream of a run. Copy hands all that arrives to sink until the
// stream ends or Close is called; the slice is valid only during the call.
type Source interface {
	Copy(sink func([]byte)) error
	Close() error
}

// Pipeline carries the output of one instance into its files, over all its runs and reloads.
// All methods may be called from any goroutine, at any time.
type Pipeline struct {
	set  *Set
	out  writer
	err  atomic.Pointer[writer] // nil: stderr goes where stdout goes
	stop chan struct{}          // closed by Close

	codec atomic.Pointer[codec] // nil: bytes are written as they come
	shape atomic.Pointer[shape] // nil: lines aren't looked at

	limited tally // lines that were more than log.rate
	cut     tally // lines that were longer than log.max_line, and what they were longer

	mu     sync.Mutex
	closed bool
	id     string
	cfg    spec.Log
	taps   [2]Sink       // of Tap and Listen; nil: none
	last   *attachment   // the newest one
	live   []*attachment // those with a stream that has not ended
}

// Stats are counts since the pipeline was made, over both streams.
type Stats struct {
	BytesWritten int64
	LinesWritten int64 // line ends among them
	LinesDropped int64
	BytesDropped int64
	// Dropping says why output is dropped now; empty: it is written.
	Dropping string
	// Limited were more lines than log.rate allows and are in no file.
	LinesLimited int64
	BytesLimited int64
	// Cut lines were longer than log.max_line by so many bytes.
	LinesCut int64
	BytesCut int64
}

// Apply changes path, sizes, ages, encoding and shape while output runs. What is in the old file stays there.
func (p *Pipeline) Apply(id string, cfg spec.Log) {
	old := p.apply(id, cfg)
	if old == nil {
		return
	}
	old.close()
	p.out.written.Add(old.written.Load())
	p.out.lines.Add(old.lines.Load())
	p.out.linesDropped.Add(old.linesDropped.Load())
	p.out.bytesDropped.Add(old.bytesDropped.Load())
}

// apply returns the writer that is no longer used, if there is one.
func (p *Pipeline) apply(id string, cfg spec.Log) (unused *writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.codec.Store(p.set.codec(cfg.Encoding))
	p.id, p.cfg = id, cfg
	p.reshape()
	p.out.configure(id, cfg.Path, cfg)
	own := p.err.Load()
	switch {
	case cfg.Stderr == "" || cfg.Stderr == cfg.Path:
		p.err.Store(nil)
		return own
	case own != nil:
		own.configure(id, cfg.Stderr, cfg)
	default:
		w := &writer{set: p.set}
		w.configure(id, cfg.Stderr, cfg)
		p.err.Store(w)
	}
	return nil
}

// Rotate makes the current files rotated ones, if there is something in them. In the middle of a line
// that is still being written it happens at the end of that line.
func (p *Pipeline) Rotate() error {
	err := p.out.rotateNow()
	if w := p.err.Load(); w != nil {
		if e := w.rotateNow(); err == nil {
			err = e
		}
	}
	return err
}

// Tail returns at most n of the last lines of the newest run that wrote something, control characters
// stripped, those of a separate stderr at the end. Some 4 KiB of each stream are kept for it.
func (p *Pipeline) Tail(n int) []string {
	lines := p.out.tail.lines(n)
	if w := p.err.Load(); w != nil {
		lines = append(lines, w.tail.lines(n)...)
	}
	return lines[max(0, len(lines)-max(0, n)):]
}

// Stats never waits for a disk.
func (p *Pipeline) Stats() Stats {
	s := Stats{
		LinesLimited: p.limited.lines.Load(), BytesLimited: p.limited.bytes.Load(),
		LinesCut: p.cut.lines.Load(), BytesCut: p.cut.bytes.Load(),
	}
	p.out.addStats(&s)
	if w := p.err.Load(); w != nil {
		w.addStats(&s)
	}
	return s
}

// Close closes the streams that are still attached, waits for them, bounded, and closes the files.
// Drain first if all output is to be kept.
func (p *Pipeline) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	close(p.stop)
	live := slices.Clone(p.live)
	p.mu.Unlock()

	for _, a := range live {
		a.close()
	}
	waitAll(live, p.set.timing.closing)
	p.out.close()
	if w := p.err.Load(); w != nil {
		w.close()
	}
}

// writerOf is where a stream goes now.
func (p *Pipeline) writerOf(stderr bool) *writer {
	if stderr {
		if w := p.err.Load(); w != nil {
			return w
		}
	}
	return &p.out
}

// waitAll waits until the streams of all have ended, at most timeout, and reports whether they have.
func waitAll(all []*attachment, timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for _, a := range all {
		select {
		case <-a.done:
		case <-timer.C:
			return false
		}
	}
	return true
}
