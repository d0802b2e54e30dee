package logs

import (
	"sync"
	"sync/atomic"
	"time"

	"servicehost/spec"
)

// shaper does with one stream what a shape asks for. It is between the decoder and the writer, and used
// only with the mu of its input held.
type shaper struct {
	in      *input
	strip   bool
	esc     stripper
	filter  *filter  // what goes into a raw file; nil: that is what comes, or records
	records *records // nil: none are made
	raw     bool

	timer *time.Timer
	due   time.Time // of timer
}

func newShaper(in *input, s *shape) *shaper {
	h := &shaper{in: in, strip: s.strip, raw: s.format == spec.FormatRaw}
	if !h.raw || len(s.sinks) > 0 {
		h.records = newRecords(in, s)
	}
	if h.raw && (s.max > 0 || s.rate > 0) {
		h.filter = newFilter(in, s, h.records)
	}
	return h
}

// take takes what the stream has brought.
func (h *shaper) take(b []byte, now time.Time) {
	if h.strip && !h.esc.needless(b) {
		lent := shaped.Get().(*[]byte)
		b = h.esc.strip((*lent)[:0], b)
		defer giveBack(lent, b)
	}
	switch {
	case h.filter != nil:
		h.filter.take(b, now)
	case h.raw:
		h.in.write(b)
		if h.records != nil {
			h.records.take(b, now)
		}
	default:
		h.records.take(b, now)
	}
	h.wait(now)
}

// wait has what would be brought out by silence be brought out by silence.
func (h *shaper) wait(now time.Time) {
	if h.records == nil || !h.records.waits() {
		if h.filter == nil || !h.filter.waits() {
			return
		}
	}
	after := h.in.p.set.timing.silence
	armed := !h.due.IsZero()
	h.due = now.Add(after)
	switch {
	case armed:
	case h.timer == nil:
		h.timer = time.AfterFunc(after, h.look)
	default:
		h.timer.Reset(after)
	}
}

// look is the timer. That it is set but once for many chunks is why it may be too early.
func (h *shaper) look() {
	h.in.mu.Lock()
	defer h.in.mu.Unlock()
	if h.in.shaper != h {
		return
	}
	now := time.Now()
	if left := h.due.Sub(now); left > 0 {
		h.timer.Reset(left)
		return
	}
	h.due = time.Time{}
	if h.filter != nil {
		h.filter.silent(now)
	}
	if h.records != nil {
		h.records.silent(now)
	}
}

// end brings out all that is kept.
func (h *shaper) end() {
	if h.timer != nil {
		h.timer.Stop()
	}
	now := time.Now()
	if h.filter != nil {
		h.filter.end(now)
	}
	if h.records != nil {
		h.records.end(now)
	}
}

// tally counts lines and their bytes.
type tally struct{ lines, bytes atomic.Int64 }

func (t *tally) add(lines, bytes int64) {
	t.lines.Add(lines)
	t.bytes.Add(bytes)
}

// shaped holds what is made of a chunk, for as long as it takes to write it.
var shaped = sync.Pool{New: func() any { return new([]byte) }}

// giveBack returns what was got from shaped, with the memory that it has now.
func giveBack(lent *[]byte, b []byte) {
	const most = 4 * flushAt
	if cap(b) <= most {
		*lent = b
		shaped.Put(lent)
	}
}
