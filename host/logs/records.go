package logs

import (
	"bytes"
	"time"

	"servicehost/spec"
)

// records makes records of the lines of one stream: for the file, unless that is raw, and for sinks.
type records struct {
	in     *input
	shape  *shape
	max    int
	stream string
	layout *layout  // nil: nothing for the file
	limit  *limiter // nil: all lines are kept

	now  time.Time // of the chunk
	lent *[]byte   // the memory of out
	out  []byte    // records to be written
	line unfinished
	cut  []byte // a line with its mark

	joined  []byte // the record that further lines may belong to
	at      time.Time
	open    bool // there is one
	refused bool // it was dropped by limit, and so is what belongs to it
}

// flushAt is how many bytes of records are written at once, if there are as many.
const flushAt = 64 << 10

func newRecords(in *input, s *shape) *records {
	r := &records{in: in, shape: s, max: s.max, stream: streamOut}
	if in.stderr {
		r.stream = streamErr
	}
	if r.layout = newLayout(s.format, s.id, r.stream, s.joined != nil); r.layout != nil {
		r.limit = newLimiter(s.rate)
		return r
	}
	// What comes has been through a filter, or is whole.
	if r.max += 64; s.max == 0 {
		r.max = spec.DefaultMaxLine
	}
	return r
}

// take takes what the stream has brought at a time.
func (r *records) take(b []byte, now time.Time) {
	if r.now = now; r.limit != nil {
		r.limit.at(now)
	}
	r.begin()
	if r.layout != nil {
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			r.in.remember(r.line.kept, b[:i+1])
		}
	}
	plain := r.plain()
	for len(b) > 0 {
		if plain && r.line.total == 0 {
			if b = r.each(b); len(b) == 0 {
				break
			}
		}
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			r.line.add(b, r.max)
			break
		}
		if r.line.total == 0 {
			text, cut := clipLine(b[:i], r.max)
			r.whole(text, cut, i+1)
		} else {
			r.line.add(b[:i], r.max)
			r.endLine(1)
		}
		if b = b[i+1:]; r.limit != nil && r.shape.joined == nil && r.limit.empty() {
			b = r.dropAll(b)
		}
	}
	if r.limit != nil && r.limit.due() && !r.open {
		r.tell()
	}
	r.flush()
}

// plain reports whether each line is a record for the file and nothing else.
func (r *records) plain() bool {
	return r.layout != nil && r.limit == nil && r.shape.joined == nil && len(r.shape.sinks) == 0
}

// each writes lines of which nothing is asked but that, and returns what it leaves to others.
func (r *records) each(b []byte) []byte {
	r.layout.stamp(r.now)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 || i > r.max {
			return b
		}
		line := b[:i]
		if i > 0 && line[i-1] == '\r' {
			line = line[:i-1]
		}
		r.out = r.layout.appendStamped(r.out, line)
		b = b[i+1:]
		if len(r.out) >= flushAt {
			r.in.writeRecords(r.out, r.now)
			r.out = r.out[:0]
		}
	}
}

// endLine takes the unfinished line as it is; end is how long its end was.
func (r *records) endLine(end int) {
	text, cut := r.line.text(r.max)
	r.whole(text, cut, r.line.total+end)
	r.line.reset()
}

// dropAll drops all lines of b but the last unfinished one.
func (r *records) dropAll(b []byte) []byte {
	if i := bytes.LastIndexByte(b, '\n') + 1; i > 0 {
		r.drop(int64(bytes.Count(b[:i], []byte{'\n'})), int64(i))
		b = b[i:]
	}
	return b
}

func (r *records) drop(lines, bytes int64) {
	r.limit.drop(lines, bytes)
	r.in.p.limited.add(lines, bytes)
}

// whole takes a line without its end, of which cut bytes are missing; size is what the stream had of it.
func (r *records) whole(text []byte, cut, size int) {
	if cut > 0 {
		r.cut = appendCut(append(r.cut[:0], text...), cut)
		text = r.cut
	}
	more := (r.open || r.refused) && r.shape.joined.Match(text)
	if !more {
		r.closeRecord()
	}
	if r.limit != nil && !r.passes(more) {
		r.refused = r.shape.joined != nil
		r.drop(1, int64(size))
		return
	}
	if cut > 0 {
		r.in.p.cut.add(1, int64(cut))
	}
	switch {
	case r.shape.joined == nil:
		r.emit(r.now, r.stream, r.layout, text)
	case more && len(r.joined)+1+len(text) <= r.max:
		r.joined = append(append(r.joined, '\n'), text...)
	default:
		r.closeRecord()
		r.joined = append(r.joined, text...)
		r.at, r.open = r.now, true
	}
}

// passes asks the limiter, and says before a line that passes what did not.
func (r *records) passes(more bool) bool {
	if more {
		return !r.refused && r.limit.passMore()
	}
	if !r.limit.pass() {
		return false
	}
	if r.limit.due() {
		r.tell()
	}
	return true
}

// closeRecord ends the record that lines were joined to.
func (r *records) closeRecord() {
	if r.open {
		r.emit(r.at, r.stream, r.layout, r.joined)
		if r.joined = r.joined[:0]; cap(r.joined) > maxKept {
			r.joined = nil
		}
	}
	r.open, r.refused = false, false
}

// emit hands a record on.
func (r *records) emit(at time.Time, stream string, l *layout, text []byte) {
	if l != nil {
		if r.out = l.append(r.out, at, text); len(r.out) >= flushAt {
			r.in.writeRecords(r.out, r.now)
			r.out = r.out[:0]
		}
	}
	for _, s := range r.shape.sinks {
		s.Take(Record{Time: at, Service: r.shape.service, Instance: r.shape.instance, ID: r.shape.id, Stream: stream, Text: text})
	}
}

// tell says what was dropped.
func (r *records) tell() {
	r.host(r.limit.tell())
}

// host is a record of the host itself.
func (r *records) host(text string) {
	var l *layout
	if r.layout != nil {
		l = newLayout(r.shape.format, r.shape.id, streamHost, false)
	}
	r.emit(r.now, streamHost, l, []byte(text))
}

// waits reports whether there is something that silence would bring out.
func (r *records) waits() bool { return r.open || r.limit.pending() }

// silent is called when nothing has come for a while.
func (r *records) silent(now time.Time) {
	r.now = now
	r.begin()
	r.closeRecord()
	if r.limit.pending() {
		r.tell()
	}
	r.flush()
}

// end takes what there is of a last line, when nothing more comes.
func (r *records) end(now time.Time) {
	if r.line.total > 0 {
		if r.now = now; r.limit != nil {
			r.limit.at(now)
		}
		r.begin()
		if r.layout != nil {
			r.in.remember(r.line.kept, []byte{'\n'})
		}
		r.endLine(0)
		r.flush()
	}
	r.silent(now)
}

// begin takes a buffer for out.
func (r *records) begin() {
	if r.layout != nil {
		r.lent = shaped.Get().(*[]byte)
		r.out = (*r.lent)[:0]
	}
}

// flush writes what is in out and gives the buffer back.
func (r *records) flush() {
	if r.layout != nil {
		r.in.writeRecords(r.out, r.now)
		giveBack(r.lent, r.out)
		r.lent, r.out = nil, nil
	}
}
