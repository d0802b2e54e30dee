package process

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// poller waits on any number of descriptors with one goroutine and no thread: its epoll set is itself
// a member of the runtime's.
type poller struct {
	fd   int
	f    *os.File
	done chan struct{}
}

func newPoller(ready func(fd int32)) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot make an epoll set: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	p := &poller{fd: fd, f: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{})}
	rc, err := p.f.SyscallConn()
	if err != nil {
		p.f.Close()
		return nil, err
	}
	go func() {
		defer close(p.done)
		var events [64]unix.EpollEvent
		for {
			n := 0
			err := rc.Read(func(fd uintptr) bool {
				n, _ = unix.EpollWait(int(fd), events[:], 0)
				return n > 0
			})
			if err != nil {
				return
			}
			for _, e := range events[:n] {
				ready(e.Fd)
			}
		}
	}()
	return p, nil
}

func (p *poller) add(fd int, events uint32) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

func (p *poller) close() {
	p.f.Close()
	<-p.done
}
