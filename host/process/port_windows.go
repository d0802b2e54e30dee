package process

import (
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Messages at the port: those of jobs as the system numbers them, and ours.
const (
	msgActiveProcessLimit = 3
	msgActiveProcessZero  = 4
	msgJobMemoryLimit     = 10
	msgWaited             = 0x1000
	msgQuit               = 0x1001
)

// limitOf is the limit that a message says was reached, or "".
func limitOf(message uint32) string {
	switch message {
	case msgActiveProcessLimit:
		return limitProcesses
	case msgJobMemoryLimit:
		return limitMemory
	}
	return ""
}

// limitHit tells of a limit that the tree ran into, at most once in a while. The system refuses what went too
// far and ends nothing. u.mu is held.
func (b *backend) limitHit(u *run, limit string) {
	now := time.Now()
	if now.Sub(u.told[limit]) < hitEvery {
		return
	}
	if u.told == nil {
		u.told = map[string]time.Time{}
	}
	u.told[limit] = now
	b.events.put(Event{Kind: LimitHit, Run: u.id, Limit: limit})
}

// port is the completion port to which jobs and finished waits report, with the one thread that reads it.
type port struct {
	done chan struct{}

	mu     sync.Mutex
	handle windows.Handle // 0 once closed: timers and waits may still report
}

// newPort starts reading; handle is called for one message after the other.
func newPort(handle func(key uintptr, message uint32)) (*port, error) {
	h, err := windows.CreateIoCompletionPort(windows.InvalidHandle, 0, 0, 1)
	if err != nil {
		return nil, err
	}
	p := &port{handle: h, done: make(chan struct{})}
	go p.read(h, handle)
	return p, nil
}

func (p *port) read(h windows.Handle, handle func(key uintptr, message uint32)) {
	defer close(p.done)
	for {
		var message uint32
		var key, detail uintptr // detail is a process id for most messages, not an address
		err := windows.GetQueuedCompletionStatus(h, &message, &key, (**windows.Overlapped)(unsafe.Pointer(&detail)), windows.INFINITE)
		if err != nil || message == msgQuit {
			return
		}
		handle(key, message)
	}
}

// post queues a message of ours, which fails only where the kernel is out of memory. After close it
// does nothing.
func (p *port) post(key uintptr, message uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handle != 0 {
		_ = windows.PostQueuedCompletionStatus(p.handle, message, key, nil)
	}
}

// close ends the reading, after what was queued before.
func (p *port) close() {
	p.post(0, msgQuit)
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	windows.CloseHandle(p.handle)
	p.handle = 0
}
