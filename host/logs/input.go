package logs

import (
	"bytes"
	"sync"
	"time"
)

// decoded holds what decoders put out, for as long as it takes to write it.
var decoded = sync.Pool{New: func() any { return new([]byte) }}

// input is the way of one stream to its writer.
type input struct {
	p      *Pipeline
	stderr bool
	codec  *codec // of dec; both are changed only by the stream's goroutine, which holds mu
	shape  *shape // of shaper, and as codec
	inLine bool   // the last byte taken was within a line

	mu     sync.Mutex // held while dec or shaper is used: timers do so, too
	dec    decoder
	idle   *time.Timer
	due    time.Time // of idle
	shaper *shaper
}

// take decodes and writes what the stream has brought.
func (in *input) take(b []byte) {
	c := in.p.codec.Load()
	if c == nil && in.dec == nil && in.shape == nil && in.p.shape.Load() == nil {
		in.inLine = len(b) > 0 && b[len(b)-1] != '\n'
		in.write(b)
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if c != in.codec {
		in.finish()
		in.codec, in.dec = c, c.decoder()
	}
	if in.dec == nil {
		in.put(b)
		return
	}
	out := decoded.Get().(*[]byte)
	defer decoded.Put(out)
	in.put(in.dec.decode(out, b))
	if in.dec.unsettled() {
		in.wait()
	}
}

// wait has what is kept of an unfinished line written if the stream stays silent: a prompt is shown.
func (in *input) wait() {
	d := in.p.set.timing.settle
	in.due = time.Now().Add(d)
	if in.idle == nil {
		in.idle = time.AfterFunc(d, in.settle)
	} else {
		in.idle.Reset(d)
	}
}

func (in *input) settle() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.dec != nil && !time.Now().Before(in.due) {
		in.put(in.dec.settle())
	}
}

// end writes what is kept when the stream has ended.
func (in *input) end() {
	if in.dec == nil && in.shape == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.finish()
	in.codec, in.dec = nil, nil
	in.reshape(nil)
}

func (in *input) finish() {
	if in.idle != nil {
		in.idle.Stop()
	}
	if in.dec == nil {
		return
	}
	out := decoded.Get().(*[]byte)
	defer decoded.Put(out)
	in.put(in.dec.end(out))
}

// put does with decoded output what is asked for; other wishes are heeded from the next line on.
func (in *input) put(b []byte) {
	if len(b) == 0 {
		return
	}
	if want := in.p.shape.Load(); want != in.shape {
		if in.inLine {
			n := bytes.IndexByte(b, '\n') + 1
			if n == 0 {
				in.feed(b)
				return
			}
			in.feed(b[:n])
			b = b[n:]
		}
		in.reshape(want)
	}
	in.feed(b)
}

// reshape goes over to another shape, at the end of a line.
func (in *input) reshape(s *shape) {
	if in.shaper != nil {
		in.shaper.end()
		in.shaper = nil
	}
	if in.shape = s; s != nil {
		in.shaper = newShaper(in, s)
	}
}

func (in *input) feed(b []byte) {
	if len(b) == 0 {
		return
	}
	in.inLine = b[len(b)-1] != '\n'
	if in.shaper == nil {
		in.write(b)
		return
	}
	in.shaper.take(b, time.Now())
}

// write writes output as it is.
func (in *input) write(b []byte) {
	// An Apply may have closed the file's writer since it was looked up: look again.
	for !in.p.writerOf(in.stderr).write(b) {
		if in.p.isClosed() {
			return
		}
	}
}

// writeRecords writes whole lines, which a file keeps whole.
func (in *input) writeRecords(b []byte, now time.Time) {
	for !in.p.writerOf(in.stderr).writeRecords(b, now) {
		if in.p.isClosed() {
			return
		}
	}
}

// remember keeps whole lines, the first of which began with begun, for Tail.
func (in *input) remember(begun, b []byte) {
	in.p.writerOf(in.stderr).tail.add(begun, b)
}
