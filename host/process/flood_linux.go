package process

import (
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A child that writes as fast as it can wakes its reader for every few KiB, and then waking costs as much as
// copying; a pipe that is in an epoll set wakes somebody at every single write even while its reader is at
// work. Such a flood is taken out of the poller, its pipe made deeper, and its reader naps whenever little is
// in it: fewer and larger reads, while the child never waits for room.
const (
	floodBytes = 256 << 10             // so much
	floodTime  = 64 * time.Millisecond // in less than that,
	floodReads = 8                     // by so many reads: a flood
	floodPipe  = 1 << 20               // what an unprivileged process may ask for by default, pipe(7)
	floodShort = 32 << 10              // a read of less is followed by a nap
	floodNaps  = 256                   // after so many the speed is looked at
	floodTurns = 64                    // after so many reads other goroutines have their turn: a few ms

	// Naps in nanoseconds; the system's timer slack adds some 50 µs.
	napShort  = 1
	napLong   = 250_000
	napsShort = 4  // so many in a row find nothing before they get long,
	napsQuiet = 20 // and so many before the reader waits in the poller again: 5 ms
)

// floods is how many streams are read so. More than half of the processors gain nothing by it: while one
// stream is read the others fill.
var floods atomic.Int32

// speed finds out that a stream is a flood. Its zero value is ready.
type speed struct {
	since time.Time
	bytes int // since then
	reads int
}

// flood reports whether a read of n bytes makes the stream one.
func (s *speed) flood(n int) bool {
	s.reads++
	if s.bytes += n; s.bytes < floodBytes {
		return false
	}
	now := time.Now()
	fast := s.reads >= floodReads && now.Sub(s.since) < floodTime
	*s = speed{since: now}
	return fast
}

// copyFlood hands out what arrives while it is much, without the poller. It reports whether the stream has
// ended or broken, or was released.
func (r *reader) copyFlood(sink func([]byte)) (done bool, err error) {
	defer floods.Add(-1)
	if floods.Add(1) > int32(max(1, runtime.GOMAXPROCS(0)/2)) {
		return false, nil
	}
	fd, ok := r.leavePoller()
	if !ok {
		return false, nil
	}
	defer r.enterPoller(fd)
	former, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	if err == nil {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, floodPipe); err == nil {
			defer func() {
				_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, former) // while more is in it, it stays deep
			}()
		}
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	since, bytes, turns, naps, empty := time.Now(), 0, 0, 0, 0
	for empty < napsQuiet && !r.closed.Load() && !r.released.Load() {
		// A goroutine that runs for 10 ms is preempted, and the thread that watches for that is kept awake by it.
		if turns++; turns%floodTurns == 0 {
			runtime.Gosched()
		}
		n, err := unix.Read(fd, *buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			empty++
		case err != nil || n <= 0:
			return true, err
		default:
			empty = 0
			bytes += n
			sink((*buf)[:n])
			if n >= floodShort {
				continue
			}
		}
		if naps++; naps%floodNaps == 0 {
			now := time.Now()
			if now.Sub(since)*floodBytes > floodTime*time.Duration(bytes) {
				break
			}
			since, bytes = now, 0
		}
		nap := unix.Timespec{Nsec: napShort}
		if empty > napsShort {
			nap.Nsec = napLong
		}
		_ = unix.Nanosleep(&nap, nil)
	}
	return false, nil
}

// leavePoller returns the descriptor of the pipe, which is then the caller's, out of every epoll set.
func (o *output) leavePoller() (fd int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.f == nil {
		return -1, false
	}
	// The runtime takes a descriptor out only when it closes it.
	rc, err := o.f.SyscallConn()
	if err != nil {
		return -1, false
	}
	err = rc.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil || fd <= 0 {
		return -1, false
	}
	o.f.Close()
	o.f = nil
	return fd, true
}

// enterPoller takes the descriptor back.
func (o *output) enterPoller(fd int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.released.Load() {
		unix.Close(fd)
		return
	}
	o.f = os.NewFile(uintptr(fd), "|output")
}
