package top

import (
	"context"
	"sync"
	"time"

	"servicehost/host/control"
)

const (
	// kept is how many lines of output are held for the screen.
	kept = 500
	// settle is how long a selection has to stay before its output is asked for: keys are held down.
	settle = 150 * time.Millisecond
	// again is how long after its end the output is asked for anew.
	again = time.Second
	// together is how long lines are collected before the screen is drawn anew.
	together = 50 * time.Millisecond
)

// tail follows the output of one service at a time.
type tail struct {
	ctx     context.Context
	clean   func(string) string
	source  func() Source
	changed chan struct{} // rung when there are new lines

	mu     sync.Mutex
	id     string
	lines  []line
	err    string
	ended  time.Time // when following it came to an end by itself
	stale  bool      // lines are those of the former try
	cancel context.CancelFunc
	timer  *time.Timer // rings changed
	due    bool        // it will
}

type line struct {
	text string
	bad  bool // of standard error
}

func newTail(ctx context.Context, clean func(string) string, source func() Source) *tail {
	t := &tail{ctx: ctx, clean: clean, source: source, changed: make(chan struct{}, 1)}
	t.timer = time.AfterFunc(time.Hour, t.ring)
	t.timer.Stop()
	return t
}

func (t *tail) ring() {
	t.mu.Lock()
	t.due = false
	t.mu.Unlock()
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// show follows a service from now on; empty: none. It may be called again and again.
func (t *tail) show(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	same := id == t.id
	if same && (t.ended.IsZero() || time.Since(t.ended) < again) {
		return
	}
	if t.cancel != nil {
		t.cancel()
		t.cancel = nil
	}
	t.id, t.ended, t.stale = id, time.Time{}, same
	if !same {
		t.lines, t.err = nil, ""
	}
	if id == "" {
		return
	}
	ctx, cancel := context.WithCancel(t.ctx)
	t.cancel = cancel
	go t.read(ctx, id)
}

func (t *tail) read(ctx context.Context, id string) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(settle):
	}
	err := t.source().Logs(ctx, control.LogsRequest{Services: []string{id}, Last: kept / 2, Follow: true}, func(l control.LogLine) error {
		t.add(ctx, line{t.clean(l.Line), l.Stream == "stderr"})
		return ctx.Err()
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if t.err = "the output ended"; err != nil {
		t.err = err.Error()
	}
	t.ended = time.Now()
	t.wake()
}

// wake has the screen drawn soon. It is called with the lock held.
func (t *tail) wake() {
	if !t.due {
		t.due = true
		t.timer.Reset(together)
	}
}

func (t *tail) add(ctx context.Context, l line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if t.stale {
		t.lines, t.err, t.stale = t.lines[:0], "", false
	}
	if len(t.lines) >= 2*kept {
		t.lines = append(t.lines[:0], t.lines[kept:]...)
	}
	t.lines = append(t.lines, l)
	t.wake()
}

// last returns the newest n lines, and what is wrong with the output.
func (t *tail) last(n int) ([]line, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = max(0, min(n, len(t.lines)))
	return append([]line(nil), t.lines[len(t.lines)-n:]...), t.err
}

func (t *tail) stop() {
	t.show("")
	t.timer.Stop()
}
