package process

import (
	"sync"

	"golang.org/x/sys/unix"
)

// rest is what waits for an output that is quiet: an entry in the epoll set of the backend, which one event disarms,
// and a function. A goroutine that waited for it would have a stack of 4 KiB. It needs the mu of the output.
type rest struct {
	set    *rests // nil: there is none
	member bool
	wake   func()
}

// begin has wake called when something can be read, and reports whether it will be.
func (r *rest) begin(o *output, fd int, wake func()) bool {
	if r.set == nil {
		return false
	}
	op := unix.EPOLL_CTL_MOD
	if !r.member {
		op = unix.EPOLL_CTL_ADD
		r.set.put(fd, o)
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(fd)}
	if err := unix.EpollCtl(r.set.poll.fd, op, fd, &e); err != nil {
		r.leave(fd)
		return false
	}
	r.member, r.wake = true, wake
	return true
}

// end wakes whoever rests.
func (r *rest) end() {
	if r.wake != nil {
		go r.wake()
		r.wake = nil
	}
}

// leave takes the descriptor out of the epoll set, in which even a disarmed one costs something at each write.
func (r *rest) leave(fd int) {
	if r.set != nil {
		_ = unix.EpollCtl(r.set.poll.fd, unix.EPOLL_CTL_DEL, fd, nil) // if it is there
		r.set.drop(fd)
		r.member = false
	}
}

// rests are the outputs in the epoll set of a backend.
type rests struct {
	poll *poller

	mu      sync.Mutex
	outputs map[int32]*output
}

// take lets outputs be members.
func (s *rests) take(all [3]*output) {
	for _, o := range all {
		if o != nil {
			o.mu.Lock()
			o.rest.set = s
			o.mu.Unlock()
		}
	}
}

func (s *rests) put(fd int, o *output) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outputs == nil {
		s.outputs = map[int32]*output{}
	}
	s.outputs[int32(fd)] = o
}

func (s *rests) drop(fd int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.outputs, int32(fd))
}

// ready wakes whoever waits for fd, and reports whether that is one of an output.
func (s *rests) ready(fd int32) bool {
	s.mu.Lock()
	o := s.outputs[fd]
	s.mu.Unlock()
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest.end()
	return true
}

// CopyAwake is Copy until nothing more is there. It then reports that the stream is asleep, and has wake called once,
// on a goroutine of its own, when that changes, the stream ends or the handle is closed: the caller is to call
// CopyAwake again. Another Copy of the stream waits until it has returned without that.
func (r *reader) CopyAwake(sink func([]byte), wake func()) (asleep bool, err error) {
	if !r.copies {
		r.copying.Lock()
		r.copies = true
	}
	for !r.closed.Load() {
		fd, ok := r.claim()
		if !ok {
			break
		}
		done, flood, err := r.copyNow(fd, sink)
		if r.giveBack(fd, done, flood, wake) {
			return true, nil
		}
		if flood {
			done, err = r.copyFlood(sink)
		} else if !done {
			break
		}
		if done {
			return false, r.ended(err)
		}
	}
	return false, r.ended(r.copy(sink))
}

// ended lets the next Copy begin.
func (r *reader) ended(err error) error {
	r.copies = false
	r.copying.Unlock()
	return err
}

// claim returns the descriptor of the pipe, which is then the caller's.
func (r *reader) claim() (fd int, ok bool) {
	r.mu.Lock()
	if fd = r.fd; fd >= 0 {
		r.fd = -1
		r.mu.Unlock()
		return fd, true
	}
	r.mu.Unlock()
	return r.leavePoller()
}

// giveBack takes the descriptor back. Where nothing more is there for now, it has wake called when something is, and
// reports whether it will be.
func (r *reader) giveBack(fd int, done, flood bool, wake func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.released.Load() {
		r.rest.leave(fd)
		unix.Close(fd)
		return false
	}
	r.fd = fd
	if flood {
		r.file()
	}
	return !done && !flood && !r.closed.Load() && r.rest.begin(r.output, fd, wake)
}

// copyNow hands out what is there, until the stream ends or breaks (done) or it turns out to be a flood.
func (r *reader) copyNow(fd int, sink func([]byte)) (done, flood bool, err error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for !r.closed.Load() {
		n, err := unix.Read(fd, *buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return false, false, nil
		case err != nil || n <= 0:
			return true, false, err
		}
		sink((*buf)[:n])
		if r.speed.flood(n) {
			return false, true, nil
		}
	}
	return false, false, nil
}
