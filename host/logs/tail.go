package logs

import (
	"bytes"
	"sync"

	"servicehost/host/human"
)

// tailMax is how much of a stream's end is kept in memory; a quiet service holds less.
const (
	tailMin = 256
	tailMax = 4096
)

// tail is a ring with the end of a stream. It has a lock of its own: it can be read while a write hangs.
type tail struct {
	mu    sync.Mutex
	buf   []byte
	pos   int  // where the next byte goes, once full
	full  bool // buf has been gone round
	ended bool // the stream is at its end: what is behind the last newline is a line too
}

// add takes what the stream has brought, in one or more pieces.
func (t *tail) add(pieces ...[]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = false
	for _, p := range pieces {
		t.put(p)
	}
}

func (t *tail) put(p []byte) {
	if len(p) >= tailMax {
		p = p[len(p)-tailMax:]
		t.full, t.pos = true, 0
		t.buf = append(t.grown(0)[:0], p...)
		return
	}
	if !t.full {
		if room := tailMax - len(t.buf); len(p) <= room {
			t.buf = append(t.grown(len(p)), p...)
			return
		} else {
			t.buf = append(t.grown(room), p[:room]...)
			p = p[room:]
			t.full, t.pos = true, 0
		}
	}
	n := copy(t.buf[t.pos:], p)
	if n < len(p) {
		copy(t.buf, p[n:])
	}
	t.pos = (t.pos + len(p)) % tailMax
}

// grown is buf with capacity for n bytes more; n = 0 asks for all there may ever be.
func (t *tail) grown(n int) []byte {
	need := len(t.buf) + n
	if n == 0 {
		need = tailMax
	}
	if need <= cap(t.buf) {
		return t.buf
	}
	size := tailMin
	for size < need {
		size *= 2
	}
	return append(make([]byte, 0, size), t.buf...)
}

// reset forgets everything: a new run begins.
func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf, t.pos, t.full, t.ended = t.buf[:0], 0, false, false
}

// end says that nothing more is to come.
func (t *tail) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// lines returns the last n lines that aren't empty, fit to be shown on a terminal.
func (t *tail) lines(n int) []string {
	t.mu.Lock()
	raw := make([]byte, 0, len(t.buf))
	if t.full {
		raw = append(raw, t.buf[t.pos:]...)
		raw = append(raw, t.buf[:t.pos]...)
	} else {
		raw = append(raw, t.buf...)
	}
	full, ended := t.full, t.ended
	t.mu.Unlock()

	if i := bytes.LastIndexByte(raw, '\n'); !ended {
		raw = raw[:i+1]
	}
	if i := bytes.IndexByte(raw, '\n'); full && i >= 0 && i+1 < len(raw) {
		raw = raw[i+1:] // its beginning is lost
	}
	var out []string
	for line := range bytes.SplitSeq(raw, []byte{'\n'}) {
		if text := human.Plain(string(line)); text != "" {
			out = append(out, text)
		}
	}
	return out[max(0, len(out)-max(0, n)):]
}
