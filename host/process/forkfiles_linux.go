package process

import (
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// forkFiles is the table of descriptors of a forking thread. A child begins with a copy of the table of the thread
// that forks it, and closes nearly all of it at exec, one by one: with a thousand services that is thousands, and takes
// longer than all else of a start. So such a thread has a table of its own, as unshare(2) lets it have, with nothing
// in it but what the next child gets.
type forkFiles struct {
	self int // this process, from whose table descriptors are taken; -1: the thread shares it
}

// ownFiles gives the calling thread, which must be locked to its goroutine for ever, a table of its own. Where it
// can't have one it goes on with that of the process.
func ownFiles() forkFiles {
	shared := forkFiles{self: -1}
	if unix.Gettid() == os.Getpid() {
		return shared // the table of the main thread is what pidfd_getfd takes for that of the process
	}
	self, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return shared
	}
	// A sandbox may refuse one of these: https://docs.docker.com/engine/security/seccomp/
	fd, err := unix.PidfdGetfd(self, self, 0)
	if err == nil {
		unix.Close(fd)
		err = unix.CloseRange(math.MaxInt32, math.MaxUint32, unix.CLOSE_RANGE_UNSHARE)
	}
	if err != nil {
		unix.Close(self)
		return shared
	}
	closeAllBut(self)
	return forkFiles{self: self}
}

// closeAllBut closes what the thread does not need: it would keep open what the process closes. The runtime uses its
// poller on every thread, by the same numbers.
func closeAllBut(keep int) {
	const dir = "/proc/thread-self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 || fd == keep {
			continue
		}
		if what, err := os.Readlink(dir + "/" + e.Name()); err == nil && !ofPoller(what) {
			unix.Close(fd)
		}
	}
}

func ofPoller(link string) bool {
	return strings.HasPrefix(link, "anon_inode:[eventpoll]") || strings.HasPrefix(link, "anon_inode:[eventfd]")
}

// shared reports whether the thread has the table of the process.
func (f forkFiles) shared() bool { return f.self < 0 }

// adapt returns a for a fork on this thread: with the numbers that its descriptors have here. What drop does not give
// back stays open.
func (f forkFiles) adapt(a *syscall.ProcAttr) (*syscall.ProcAttr, error) {
	if f.shared() {
		return a, nil
	}
	own, sys := *a, *a.Sys
	own.Files, own.Sys = make([]uintptr, 0, len(a.Files)), &sys
	sys.PidFD = nil // it would be one of this table
	sys.UseCgroupFD = false
	for i, fd := range a.Files {
		if i > 0 && fd == a.Files[i-1] {
			own.Files = append(own.Files, own.Files[i-1])
			continue
		}
		n, err := f.take(int(fd))
		if err != nil {
			f.drop(&own)
			return nil, err
		}
		own.Files = append(own.Files, uintptr(n))
	}
	if a.Sys.UseCgroupFD {
		n, err := f.take(a.Sys.CgroupFD)
		if err != nil {
			f.drop(&own)
			return nil, err
		}
		sys.UseCgroupFD, sys.CgroupFD = true, n
	}
	return &own, nil
}

func (f forkFiles) take(fd int) (int, error) {
	n, err := unix.PidfdGetfd(f.self, fd, 0)
	return n, os.NewSyscallError("pidfd_getfd", err)
}

// drop closes what adapt took.
func (f forkFiles) drop(a *syscall.ProcAttr) {
	if f.shared() {
		return
	}
	for i, fd := range a.Files {
		if i == 0 || fd != a.Files[i-1] {
			unix.Close(int(fd))
		}
	}
	if a.Sys.UseCgroupFD {
		unix.Close(a.Sys.CgroupFD)
	}
}
