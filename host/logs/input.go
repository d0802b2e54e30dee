package logs

import (
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

	mu   sync.Mutex // held while dec is used: idle does so, too
	dec  decoder
	idle *time.Timer
	due  time.Time // of idle
}

// take decodes and writes what the stream has brought.
func (in *input) take(b []byte) {
	c := in.p.codec.Load()
	if c == nil && in.dec == nil {
		in.put(b)
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
	if in.dec == nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.finish()
	in.codec, in.dec = nil, nil
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

func (in *input) put(b []byte) {
	// An Apply may have closed the file's writer since it was looked up: look again.
	for !in.p.writerOf(in.stderr).write(b) {
		if in.p.isClosed() {
			return
		}
	}
}
