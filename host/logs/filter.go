package logs

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// filter takes from a raw stream what there is too much of: ends of lines, whole lines. A line is written
// as it comes, before its end has come.
type filter struct {
	in    *input
	max   int      // 0: lines are whole
	limit *limiter // nil: all of them
	next  *records // gets what is written; nil: none

	now     time.Time
	out     []byte
	begun   bool       // in the middle of a line
	dropped bool       // that is dropped
	done    int        // bytes of it that are written
	line    unfinished // what follows these and is near the place where it may have to be cut
}

func newFilter(in *input, s *shape, next *records) *filter {
	return &filter{in: in, max: s.max, limit: newLimiter(s.rate), next: next}
}

func (f *filter) take(b []byte, now time.Time) {
	if f.now = now; f.limit != nil {
		f.limit.at(now)
	}
	lent := shaped.Get().(*[]byte)
	f.out = (*lent)[:0]
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\n') + 1
		ended := n > 0
		if !ended {
			n = len(b)
		}
		if !f.begun {
			f.begun = true
			f.dropped = !f.passes()
		}
		switch {
		case f.dropped:
			f.drop(ended, n)
		case f.max > 0:
			f.bounded(b[:n], ended)
		default:
			f.out = append(f.out, b[:n]...)
		}
		f.begun = !ended
		if len(f.out) >= flushAt {
			f.write()
		}
		if b = b[n:]; ended && f.limit != nil && f.limit.empty() {
			if i := bytes.LastIndexByte(b, '\n') + 1; i > 0 {
				f.dropAll(b[:i])
				b = b[i:]
			}
		}
	}
	f.write()
	if f.limit != nil && f.limit.due() && f.atStart() {
		f.tell()
	}
	giveBack(lent, f.out)
	f.out = nil
}

// passes asks the limiter at the beginning of a line, and says before one that passes what did not.
func (f *filter) passes() bool {
	if f.limit == nil {
		return true
	}
	if !f.limit.pass() {
		return false
	}
	if f.limit.due() {
		f.tell()
	}
	return true
}

func (f *filter) drop(ended bool, size int) {
	lines := int64(0)
	if ended {
		lines = 1
	}
	f.limit.drop(lines, int64(size))
	f.in.p.limited.add(lines, int64(size))
}

// dropAll drops whole lines.
func (f *filter) dropAll(b []byte) {
	lines := int64(bytes.Count(b, []byte{'\n'}))
	f.limit.drop(lines, int64(len(b)))
	f.in.p.limited.add(lines, int64(len(b)))
}

// bounded takes a piece of a line that may be too long.
func (f *filter) bounded(piece []byte, ended bool) {
	if f.line.total == 0 && f.done+len(piece) <= f.max-utf8.UTFMax {
		f.out = append(f.out, piece...)
		if f.done += len(piece); ended {
			f.done = 0
		}
		return
	}
	f.line.add(bytes.TrimSuffix(piece, []byte{'\n'}), f.max-f.done)
	if ended {
		f.endLine()
		f.out = append(f.out, '\n')
	}
}

// endLine writes what was not decided of the line yet.
func (f *filter) endLine() {
	text, cut := f.line.text(f.max - f.done)
	f.out = append(f.out, text...)
	if cut > 0 {
		f.out = appendCut(f.out, cut)
		f.in.p.cut.add(1, int64(cut))
	}
	if f.line.cr {
		f.out = append(f.out, '\r')
	}
	f.line.reset()
	f.done = 0
}

// write writes what is in out.
func (f *filter) write() {
	if len(f.out) == 0 {
		return
	}
	f.in.write(f.out)
	if f.next != nil {
		f.next.take(f.out, f.now)
	}
	f.out = f.out[:0]
}

// tell says what was dropped.
func (f *filter) tell() {
	f.write()
	text := f.limit.tell()
	f.in.write([]byte(text + "\n"))
	if f.next != nil {
		f.next.host(text)
	}
}

// waits reports whether there is something that silence would bring out.
func (f *filter) waits() bool { return f.atStart() && f.limit.pending() }

// atStart reports whether what is written next begins a line of the file.
func (f *filter) atStart() bool { return !f.begun || f.dropped }

// silent is called when nothing has come for a while.
func (f *filter) silent(now time.Time) {
	if f.now = now; f.waits() {
		f.tell()
	}
}

// end takes what there is of a last line, when nothing more comes.
func (f *filter) end(now time.Time) {
	f.now = now
	switch {
	case f.begun && f.dropped:
		f.drop(true, 0)
	case f.begun:
		f.endLine()
		if f.limit.pending() {
			f.out = append(f.out, '\n')
		}
		f.write()
	}
	f.begun = false
	f.silent(now)
}
