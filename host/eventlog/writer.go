package eventlog

import (
	"fmt"
	"sync"
	"time"

	"servicehost/host/human"
)

// sink is the log of one system. Its methods are called from one goroutine; they may hang.
type sink interface {
	write(r record) error
	close()
}

// queued is how many events may wait for the system's log.
const queued = 256

// writer brings events to the sink, on a goroutine of its own: a log that hangs, or is gone already when
// the machine shuts down, holds nobody up.
type writer struct {
	sink    sink
	trouble func(error)
	queue   chan record
	quit    chan struct{} // closed by close
	done    chan struct{} // closed when the goroutine has ended
	once    sync.Once

	mu   sync.Mutex
	lost int // found no room, or could not be written

	limit   limiter
	failing bool
}

func newWriter(s sink, trouble func(error)) *writer {
	if trouble == nil {
		trouble = func(error) {}
	}
	w := &writer{sink: s, trouble: trouble, queue: make(chan record, queued), quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// put takes an event over; it never waits.
func (w *writer) put(r record) {
	select {
	case w.queue <- r:
	default:
		w.lose(1)
	}
}

func (w *writer) lose(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost += n
}

func (w *writer) takeLost() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.lost
	w.lost = 0
	return n
}

func (w *writer) close(timeout time.Duration) {
	w.once.Do(func() { close(w.quit) })
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-w.done:
	case <-t.C:
	}
}

func (w *writer) run() {
	defer close(w.done)
	defer w.sink.close()
	for {
		var due <-chan time.Time
		if at := w.limit.next(); !at.IsZero() {
			due = time.After(time.Until(at))
		}
		select {
		case r := <-w.queue:
			w.pass(r)
		case <-due:
			w.summarize(time.Now())
		case <-w.quit:
			for len(w.queue) > 0 {
				w.pass(<-w.queue)
			}
			w.summarize(time.Time{})
			return
		}
	}
}

// pass writes an event unless there were too many of its kind.
func (w *writer) pass(r record) {
	now := time.Now()
	w.summarize(now)
	if w.limit.allow(r, now) {
		w.write(r)
	}
}

// summarize says what was left out until now; the zero time ends all windows.
func (w *writer) summarize(now time.Time) {
	for _, s := range w.limit.ended(now) {
		w.write(newRecord(byKind[kindSuppressed], Event{Service: s.service, Reason: fmt.Sprintf(
			"%s with ID %d (%s) left out within a minute", human.Count(s.left, "more event"), s.kind.ID, s.kind.Name)}))
	}
}

func (w *writer) write(r record) {
	if n := w.takeLost(); n > 0 {
		lost := newRecord(byKind[kindLost], Event{Reason: human.Count(n, "event") + " before this one could not be written here"})
		if w.send(lost) != nil {
			w.lose(n + 1)
			return
		}
	}
	if w.send(r) != nil {
		w.lose(1)
	}
}

func (w *writer) send(r record) error {
	err := w.sink.write(r)
	if err != nil && !w.failing {
		w.trouble(err)
	}
	w.failing = err != nil
	return err
}
