package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// flushDelay is how long a line may wait for company before it is sent: a flood costs one write for
// many lines, a single line is not seen to be late.
const flushDelay = 10 * time.Millisecond

const streamType = "application/x-ndjson"

// stream sends one JSON value a line as long as from produces them, until the client goes. An error
// before the first line is an ordinary one, afterwards it is the last line.
func stream[T any](w http.ResponseWriter, r *http.Request, from func(send func(T) error) error) {
	lw := &lineWriter{w: w, flusher: http.NewResponseController(w)}
	lw.buf = bufio.NewWriterSize(w, 16<<10)
	w.Header().Set("Content-Type", streamType)
	// The client learns at once that its stream stands, even when nothing happens for long.
	opened := time.AfterFunc(flushDelay, func() { lw.flush() })
	err := from(func(v T) error {
		if err := r.Context().Err(); err != nil {
			return err
		}
		return lw.line(v)
	})
	opened.Stop()
	lw.end(err, r.Context().Err() != nil)
}

// lineWriter collects lines and flushes them soon. Its mutex keeps the flushing timer and the
// producing goroutine apart.
type lineWriter struct {
	w       http.ResponseWriter
	flusher *http.ResponseController

	mu      sync.Mutex
	buf     *bufio.Writer
	timer   *time.Timer
	pending bool
	started bool // something went out, so the status is 200
	ended   bool
	err     error
}

func (l *lineWriter) line(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	l.started = true
	if _, err := l.buf.Write(append(data, '\n')); err != nil {
		l.err = err
		return err
	}
	if !l.pending {
		l.pending = true
		if l.timer == nil {
			l.timer = time.AfterFunc(flushDelay, l.flush)
		} else {
			l.timer.Reset(flushDelay)
		}
	}
	return nil
}

func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.err != nil {
		return
	}
	l.pending = false
	l.started = true
	if l.err = l.buf.Flush(); l.err == nil {
		l.err = l.flusher.Flush()
	}
}

func (l *lineWriter) end(err error, gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.timer != nil {
		l.timer.Stop()
	}
	if err != nil && !gone && (l.err == nil || !errors.Is(err, l.err)) {
		if !l.started {
			writeError(l.w, err)
			return
		}
		_ = json.NewEncoder(l.buf).Encode(errorBody{asError(err)})
	}
	_ = l.buf.Flush()
}
