package process

import "sync"

// queue is an unbounded event queue with a channel at its end: the backend never waits for a reader.
// What it can hold is bounded by two events for each run that is not acknowledged, and one a second for
// each limit that a run goes on to hit.
type queue struct {
	mu     sync.Mutex
	items  []Event
	busy   bool
	closed chan struct{}
	out    chan Event
	once   sync.Once
}

func newQueue() *queue {
	return &queue{closed: make(chan struct{}), out: make(chan Event, 64)}
}

// put hands an event over, directly where there is room, else through a goroutine that lives while
// there is a backlog.
func (q *queue) put(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.busy {
		select {
		case q.out <- e:
			return
		default:
		}
		q.busy = true
		go q.drain()
	}
	q.items = append(q.items, e)
}

func (q *queue) drain() {
	for {
		q.mu.Lock()
		if len(q.items) == 0 {
			q.busy, q.items = false, nil
			q.mu.Unlock()
			return
		}
		e := q.items[0]
		q.items = q.items[1:]
		q.mu.Unlock()
		select {
		case q.out <- e:
		case <-q.closed:
			return
		}
	}
}

func (q *queue) close() { q.once.Do(func() { close(q.closed) }) }
