package supervisor

import (
	"bytes"
	"sync/atomic"

	"servicehost/host/process"
)

// tee shows the lines of a run to its own probes while another run writes to the same log.
type tee struct{ watch atomic.Pointer[HealthWatch] }

// set has the lines go to w; nil: to nobody.
func (t *tee) set(w HealthWatch) {
	switch {
	case t == nil:
	case w == nil:
		t.watch.Store(nil)
	default:
		t.watch.Store(&w)
	}
}

// maxTeed is how much of one line the probes see.
const maxTeed = 64 << 10

// teed is a stream that a tee sees.
type teed struct {
	process.Output
	tee *tee
}

func (s teed) Copy(sink func([]byte)) error {
	var part []byte
	return s.Output.Copy(func(p []byte) {
		sink(p)
		w := s.tee.watch.Load()
		if w == nil {
			part = nil
			return
		}
		for line := range bytes.Lines(p) {
			part = append(part, line[:min(len(line), maxTeed-min(len(part), maxTeed))]...)
			if line[len(line)-1] == '\n' {
				(*w).Line(bytes.TrimRight(part, "\r\n"))
				part = part[:0]
			}
		}
	})
}
