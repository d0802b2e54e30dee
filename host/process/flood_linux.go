package process

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A child that writes as fast as it can wakes its reader for every few KiB, and then waking costs as much as
// copying; a pipe that is in an epoll set wakes somebody at every single write even while its reader is at
// work. Such a flood is taken out of the poller, its pipe made deeper, and its reader naps whenever it has caught
// up: the child neither waits for room nor wakes anybody.
const (
	floodBytes  = 256 << 10             // so much
	floodTime   = 64 * time.Millisecond // in less than that,
	floodPipe   = 1 << 20               // what an unprivileged process may ask for by default, pipe(7)
	floodShared = 128 << 10             // for each of several: what they write is to be in the cache when it is read
	floodsDeep  = 32                    // of so many at most
	floodTurn   = 1 << 20               // so much is read in one turn: half a millisecond
	floodNaps   = 256                   // after so many the speed is looked at
	floodRun    = 2 * time.Millisecond  // after so long the scheduler gets its turn

	// One flood is kept up with by small reads: the system gives a page that is read soon to the child's next write,
	// while those of a full pipe are freed and taken anew. Several have no processor to spare for that.
	floodPiece = 16 << 10
	floodChunk = 48 << 10  // so much of it is handed out at once
	floodShort = 4<<10 + 1 // a read of less, a page, has caught up, and a nap follows

	// Naps in nanoseconds; the system's timer slack adds some 50 µs.
	napShort  = 1
	napLong   = 250_000
	napEach   = 50_000    // for each of several floods,
	napMost   = 1_000_000 // and no more
	napsShort = 4         // so many in a row find nothing before they get long,
	napsQuiet = 20        // and so many before the reader waits in the poller again: 5 ms
)

// floods is how many streams are read so.
var floods atomic.Int32

// speed finds out that a stream is a flood. Its zero value is ready.
type speed struct {
	since time.Time
	bytes int // since then
}

// flood reports whether a read of n bytes makes the stream one.
func (s *speed) flood(n int) bool {
	if s.bytes += n; s.bytes < floodBytes {
		return false
	}
	now := time.Now()
	fast := now.Sub(s.since) < floodTime
	*s = speed{since: now}
	return fast
}

// copyFlood hands out what arrives while it is much, without the poller. It reports whether the stream has
// ended or broken, or was released.
func (r *reader) copyFlood(sink func([]byte)) (done bool, err error) {
	fd, ok := r.leavePoller()
	if !ok {
		return false, nil
	}
	defer r.enterPoller(fd)
	n := floods.Add(1)
	defer floodEnds()
	if int(n) >= floodTurns.most {
		spareProcessor.take()
	}
	if n <= floodsDeep {
		defer deepen(fd, n)()
	}
	f := flood{reader: r, fd: fd, sink: sink, since: time.Now()}
	floodTurns.run(f.take)
	return f.end, f.err
}

// flood is a stream while it is one.
type flood struct {
	*reader
	fd   int
	sink func([]byte)

	since       time.Time // the speed is that since then
	bytes, naps int
	last        time.Time // the pipe was found empty; zero: it was not
	empty       int       // so often in a row
	end         bool      // it has ended or broken
	err         error
}

// take is one turn. The flood is over when the stream has ended, was closed or does not bring much.
func (f *flood) take(now time.Time) (then time.Time, over bool) {
	if !f.last.IsZero() {
		nap(int(floods.Load()), f.empty, now.Sub(f.last))
	}
	n, short, end, err := f.takeTurn(f.fd, f.sink)
	now = time.Now()
	if end {
		f.end, f.err = true, err
		return now, true
	}
	f.empty++
	if n > 0 {
		f.empty = 0
	}
	f.bytes += n
	f.last = time.Time{}
	if short {
		f.last = now
		if f.naps++; f.naps%floodNaps == 0 {
			if now.Sub(f.since)*floodBytes > floodTime*time.Duration(f.bytes) {
				return now, true
			}
			f.since, f.bytes = now, 0
		}
	}
	return now, f.empty >= napsQuiet || f.closed.Load() || f.released.Load()
}

func floodEnds() {
	if floods.Add(-1) == 0 {
		spareProcessor.giveBack()
	}
}

// deepen makes the pipe of the nth flood deeper and returns what ends that.
func deepen(fd int, nth int32) (end func()) {
	size := floodPipe
	if nth > 1 {
		size = floodShared
	}
	former, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	if err != nil || former >= size {
		return func() {}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, size); err != nil {
		return func() {}
	}
	return func() {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, former) // while more is in it, it stays deep
	}
}

// takeTurn hands out what is in the pipe, until little is (short), others are to have a turn or the stream has ended
// or broken (end).
func (r *reader) takeTurn(fd int, sink func([]byte)) (total int, short, end bool, err error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	piece, chunk := floodPiece, floodChunk
	if floods.Load() > 1 {
		piece, chunk = readSize, 0
	}
	have := 0
	for total < floodTurn && !short && !end && !r.closed.Load() && !r.released.Load() {
		n, e := unix.Read(fd, (*buf)[have:min(have+piece, readSize)])
		switch {
		case e == unix.EINTR:
			continue
		case e == unix.EAGAIN:
			short, n = true, 0
		case e != nil || n <= 0:
			end, n, err = true, 0, e
		default:
			short = n < floodShort
		}
		have += n
		total += n
		if have >= chunk || short || end {
			if have > 0 {
				sink((*buf)[:have])
			}
			have = 0
		}
	}
	if have > 0 {
		sink((*buf)[:have])
	}
	return total, short, end, err
}

// nap lets the pipes fill. Whose turn it is found little in its pipe so long ago; of several floods it is the one for
// which that is longest ago.
func nap(floods, empty int, ago time.Duration) {
	d := time.Duration(napShort)
	if floods > 1 {
		d = min(time.Duration(floods)*napEach, napMost) - ago
	} else if empty > napsShort {
		d = napLong
	}
	if d > 0 {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: int64(d)}, nil)
	}
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
