//go:build unix

package process

import (
	"cmp"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// output is the reading end of one pipe, shared by the handles that OpenOutput gives out.
type output struct {
	copying  sync.Mutex // held by the one Copy that runs
	mu       sync.Mutex
	fd       int      // the pipe while nobody reads it, not in the runtime's poller; else -1
	f        *os.File // the pipe while Copy waits for it; else nil
	rest     rest
	released atomic.Bool
}

// reader is one handle on an output. It waits in the runtime's poller or, with CopyAwake, in that of the backend:
// it holds neither a thread nor a buffer while nothing arrives.
type reader struct {
	*output
	copies bool // it has copying
	speed  speed
	closed atomic.Bool
}

func (r *reader) Copy(sink func([]byte)) error {
	r.copying.Lock()
	defer r.copying.Unlock()
	return r.copy(sink)
}

func (r *reader) copy(sink func([]byte)) error {
	for !r.closed.Load() {
		r.mu.Lock()
		f := r.file()
		if f != nil {
			f.SetReadDeadline(time.Time{}) // a handle closed earlier may have set one
		}
		r.mu.Unlock()
		if f == nil || r.closed.Load() {
			return nil
		}
		rc, err := f.SyscallConn()
		if err != nil {
			return nil // released meanwhile
		}
		done, flood, err := copyOut(rc, sink)
		if flood {
			done, err = r.copyFlood(sink)
		}
		if done {
			return err
		}
	}
	return nil
}

// copyOut hands out what arrives until the stream ends or breaks (done), a deadline interrupts it or it
// turns out to be a flood.
func copyOut(rc syscall.RawConn, sink func([]byte)) (done, flood bool, err error) {
	var n int
	var rerr error
	var buf *[]byte
	var speed speed
	read := func(fd uintptr) bool {
		buf = buffers.Get().(*[]byte)
		for {
			n, rerr = unix.Read(int(fd), *buf)
			if rerr != unix.EINTR {
				break
			}
		}
		if rerr == unix.EAGAIN {
			buffers.Put(buf)
			buf = nil
			return false
		}
		return true
	}
	for {
		if err := rc.Read(read); err != nil {
			return errors.Is(err, os.ErrClosed), false, nil
		}
		if n > 0 {
			sink((*buf)[:n])
		}
		buffers.Put(buf)
		buf = nil
		if rerr != nil {
			return true, false, rerr
		}
		if n <= 0 {
			return true, false, nil
		}
		if speed.flood(n) {
			return false, true, nil
		}
	}
}

func (r *reader) Close() error {
	r.closed.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f != nil {
		r.f.SetReadDeadline(time.Unix(1, 0))
	}
	r.rest.end()
	return nil
}

// file returns the pipe as a file in the runtime's poller; nil: another one has it, or nobody any more. It needs mu.
func (o *output) file() *os.File {
	if o.f == nil && o.fd >= 0 {
		o.rest.leave(o.fd)
		o.f, o.fd = os.NewFile(uintptr(o.fd), "|output"), -1
	}
	return o.f
}

func (o *output) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.released.Store(true)
	if o.f != nil {
		o.f.Close()
		o.f = nil
	}
	if o.fd >= 0 {
		o.rest.leave(o.fd)
		unix.Close(o.fd)
		o.fd = -1
	}
	o.rest.end()
}

// pipes are the descriptors of one child: its ends as numbers, ours as files.
type pipes struct {
	childIn, childOut, childErr int
	stdin                       *os.File
	stdout, stderr              *output
}

func newPipes(r Request) (p *pipes, err error) {
	p = &pipes{childIn: -1, childOut: -1, childErr: -1}
	defer func() {
		if err != nil {
			p.closeChild()
			p.closeParent()
		}
	}()
	if r.Stdin {
		fds, err := pipe()
		if err != nil {
			return p, err
		}
		p.childIn, p.stdin = fds[0], os.NewFile(uintptr(fds[1]), "|stdin")
	} else if p.childIn, err = unix.Open(cmp.Or(r.StdinFile, os.DevNull), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		if r.StdinFile != "" {
			err = inputError(r, err)
		}
		return p, err
	}
	if p.childOut, p.stdout, err = outputPipe(); err != nil {
		return p, err
	}
	p.childErr = p.childOut
	if r.SplitStderr {
		if p.childErr, p.stderr, err = outputPipe(); err != nil {
			return p, err
		}
	}
	return p, nil
}

func outputPipe() (child int, o *output, err error) {
	fds, err := pipe()
	if err != nil {
		return -1, nil, err
	}
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return -1, nil, err
	}
	return fds[1], &output{fd: fds[0]}, nil
}

func (p *pipes) closeChild() {
	for _, fd := range []int{p.childIn, p.childOut} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if p.childErr >= 0 && p.childErr != p.childOut {
		unix.Close(p.childErr)
	}
}

func (p *pipes) closeParent() {
	if p.stdin != nil {
		p.stdin.Close()
	}
	for _, o := range []*output{p.stdout, p.stderr} {
		if o != nil {
			o.release()
		}
	}
}
