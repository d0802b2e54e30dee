package process

import (
	"runtime"
	"sync"
	"time"
)

// turns lets floods read one after the other, as many at once as there is something to gain. It has them read by workers
// of its own: a goroutine that readies the next one makes the runtime wake a thread to look for it, for every turn, and
// goroutines that wait to run make it take the processor from each that is in a system call for 20 µs, as every larger
// write is.
//
// A turn is no right: a worker that has been at one for turnPatience while somebody waits is replaced, as somebody who
// hangs in a write or has much to do with what it reads must not keep the others.
type turns struct {
	most int // workers, beside those that were replaced

	mu      sync.Mutex
	waiting []*turn // in the order in which they came
	workers map[*worker]struct{}
	looking bool // a look is to come
}

// turn is what somebody does again and again.
type turn struct {
	take func(now time.Time) (then time.Time, over bool)
	done chan struct{} // closed when it is over
}

type worker struct {
	at time.Time // the beginning of its turn
}

const turnPatience = 100 * time.Millisecond

var floodTurns = newTurns(runtime.GOMAXPROCS(0))

func newTurns(n int) *turns {
	return &turns{most: n, workers: map[*worker]struct{}{}}
}

// run has take called in turns, on changing goroutines and never on two at once, until it says that it is over. It is
// given the time and returns what it is then.
func (t *turns) run(take func(now time.Time) (then time.Time, over bool)) {
	own := &turn{take: take, done: make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, own)
	t.hire()
	t.mu.Unlock()
	<-own.done
}

// hire finds workers for who waits. It needs mu.
func (t *turns) hire() {
	for len(t.workers) < t.most && len(t.waiting) > 0 {
		w := &worker{at: time.Now()}
		t.workers[w] = struct{}{}
		go t.work(w, t.first())
	}
	if len(t.waiting) > 0 && !t.looking {
		t.looking = true
		time.AfterFunc(turnPatience, t.look)
	}
}

// first takes out who has waited longest. It needs mu.
func (t *turns) first() *turn {
	own := t.waiting[0]
	t.waiting = append(t.waiting[:0], t.waiting[1:]...)
	return own
}

// work lets own have its turn, and then whoever waits, until nobody does.
func (t *turns) work(w *worker, own *turn) {
	now, scheduled := w.at, w.at
	for own != nil {
		over := false
		now, over = own.take(now)
		if over {
			close(own.done)
			own = nil
		}
		// From a goroutine that has not been scheduled for 10 ms the runtime takes the processor at every system call,
		// and the thread that watches for those is kept awake by it: a twentieth of all the work.
		if now.Sub(scheduled) > floodRun {
			scheduled = now
			runtime.Gosched()
		}
		own = t.next(w, own, now)
	}
}

// next ends the turn of own, if there is one, and returns whose turn it is now.
func (t *turns) next(w *worker, own *turn, now time.Time) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own != nil {
		t.waiting = append(t.waiting, own)
	}
	if _, ok := t.workers[w]; !ok { // replaced
		t.hire()
		return nil
	}
	if len(t.waiting) == 0 {
		delete(t.workers, w)
		return nil
	}
	w.at = now
	return t.first()
}

// look replaces the workers that hang while somebody waits.
func (t *turns) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looking = false
	if len(t.waiting) == 0 {
		return
	}
	now := time.Now()
	for w := range t.workers {
		if now.Sub(w.at) >= turnPatience {
			delete(t.workers, w)
		}
	}
	t.hire()
}
