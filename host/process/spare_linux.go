package process

import (
	"os"
	"runtime"
	"sync"
	"time"
)

// The runtime lets a goroutine keep its processor through a system call of up to 10 ms as long as another one is
// idle. When none is, it takes the processor away from every call that outlasts 20 µs, as each larger write does, and
// wakes a thread to look for work, of which there is none: readers of floods wait for their turns. So there is to be one
// more than can be at work.
// https://github.com/golang/go/blob/go1.26.0/src/runtime/proc.go, retake
type spare struct {
	mu    sync.Mutex
	taken bool
	later *time.Timer
}

var spareProcessor spare

// spareKept is how long it stays, as the world is stopped for each change.
const spareKept = 10 * time.Second

// take adds it.
func (s *spare) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.later != nil {
		s.later.Stop()
		s.later = nil
	}
	if !s.taken {
		s.taken = true
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// giveBack ends that, a while after the last call.
func (s *spare) giveBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken && s.later == nil {
		s.later = time.AfterFunc(spareKept, s.end)
	}
}

func (s *spare) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.later == nil {
		return // taken again meanwhile
	}
	s.later, s.taken = nil, false
	if os.Getenv("GOMAXPROCS") != "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) - 1)
		return
	}
	runtime.SetDefaultGOMAXPROCS() // which follows the limits of a container again
}
