package host

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"servicehost/host/image"
)

// trimmer gives memory back to the system after a burst of work: a host is idle for weeks after it
// started its services for a second.
type trimmer struct {
	mu    sync.Mutex
	timer *time.Timer
}

// trimAfter is how long nothing must have been begun before memory is given back.
const trimAfter = 3 * time.Second

// later asks for it; asked again meanwhile, it happens once, later.
func (t *trimmer) later() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil {
		t.timer = time.AfterFunc(trimAfter, trim)
		return
	}
	t.timer.Reset(trimAfter)
}

func (t *trimmer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
}

// spareMemory is how much may lie idle: taken from the system, and used by nobody. Of the executable it is how much may
// be in memory: which pages of that are in use nobody tells, but those that are come back at once.
const spareMemory = 6 << 20

// look gives memory back that was left by work which asks for nothing at its end: commands, floods, alerts. The
// runtime does that too, but keeps as much as the last such burst needed. Called once a minute, it costs little where
// there is a burst in each.
func (t *trimmer) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapIdle-m.HeapReleased > spareMemory {
		trim()
	} else if image.Resident() > spareMemory {
		image.GiveBack()
	}
}

// trim collects until the stacks of idle goroutines have shrunk: each collection halves them at most.
func trim() {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
	image.GiveBack()
}
