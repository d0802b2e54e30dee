package process

import (
	"runtime"
	"time"
)

// turns lets floods read one after the other, as many at once as there is something to gain. Goroutines that wait to
// run make the runtime take the processor from each that is in a system call for 20 us, as every larger write is:
// threads are woken and put to sleep all the time. One that waits for its turn doesn't wait to run.
//
// A turn is no right: who has waited for turnPatience takes one more, as somebody who hangs in a write or has much
// to do with what it reads must not keep the others.
type turns chan struct{}

const turnPatience = 100 * time.Millisecond

var floodTurns = newTurns(runtime.GOMAXPROCS(0))

func newTurns(n int) turns {
	t := make(turns, n)
	for range n {
		t <- struct{}{}
	}
	return t
}

// await returns when it is the caller's turn. The timer is the caller's own.
func (t turns) await(patience *time.Timer) {
	select {
	case <-t:
		return
	default:
	}
	patience.Reset(turnPatience)
	select {
	case <-t:
	case <-patience.C:
	}
}

// pass ends the caller's turn.
func (t turns) pass() {
	select {
	case t <- struct{}{}:
	default: // somebody had no patience, and there was one more
	}
}
