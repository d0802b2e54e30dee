package process

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"servicehost/host/image"
)

// guardRests is how long nothing must have come before the guard gives back what only its start needed.
const guardRests = 3 * time.Second

// restingReader is the input of the guard, which waits there for weeks. A timer would take it a thread more.
type restingReader struct {
	in    *os.File
	after time.Duration
	rest  func() // nil: it rested
}

func newRestingReader() *restingReader {
	return &restingReader{in: os.Stdin, after: guardRests, rest: func() { image.GiveBack() }}
}

func (r *restingReader) Read(p []byte) (int, error) {
	if r.rest != nil && quiet(r.in.Fd(), r.after) {
		r.rest()
		r.rest = nil
	}
	return r.in.Read(p)
}

// quiet reports whether for so long nothing could be read, nor did the other end close.
func quiet(fd uintptr, d time.Duration) bool {
	for end := time.Now().Add(d); ; {
		left := max(0, time.Until(end))
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		if err != unix.EINTR || left == 0 {
			return n == 0 && err == nil
		}
	}
}
