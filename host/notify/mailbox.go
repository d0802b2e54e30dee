package notify

import (
	"sync"
)

// mailbox is what the hub hands over. It never holds up anybody.
type mailbox struct {
	mu      sync.Mutex
	changes []change
	seen    uint64
	rung    uint64 // seen, when it rang the last time
	wake    chan struct{}
}

func (b *mailbox) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// put hands over what an event means; the event is seen with it.
func (b *mailbox) put(seq uint64, changes ...change) {
	b.mu.Lock()
	b.changes = append(b.changes, changes...)
	b.seen = max(b.seen, seq)
	ring := len(changes) > 0 || b.seen-b.rung >= ringEvery
	if ring {
		b.rung = b.seen
	}
	b.mu.Unlock()
	if ring {
		b.ring()
	}
}

// place is the last event that was handed over.
func (b *mailbox) place() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

func (b *mailbox) take() ([]change, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changes := b.changes
	b.changes = nil
	return changes, b.seen
}
