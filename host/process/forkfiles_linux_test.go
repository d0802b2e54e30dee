package process

import (
	"io"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// onForkingThread runs f on a thread as children are forked from, if such a one can have descriptors of its own.
func onForkingThread(t *testing.T, f func(forkFiles)) {
	t.Helper()
	p, err := newPoller(func(int32) {}) // as in newSystem, the runtime has its own by then
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	s := newSpawner(func() {})
	t.Cleanup(s.close)
	shared := false
	s.do(func(files forkFiles) {
		if shared = files.shared(); !shared {
			f(files)
		}
	})
	if shared {
		t.Skip("a thread can't have descriptors of its own here")
	}
}

// ownDescriptors are those of the calling thread.
func ownDescriptors() []string {
	entries, _ := os.ReadDir("/proc/thread-self/fd")
	var names []string
	for _, e := range entries {
		if name, err := os.Readlink("/proc/thread-self/fd/" + e.Name()); err == nil {
			names = append(names, e.Name()+" "+name)
		}
	}
	return names
}

func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// A child would copy and close all that the process has open.
func TestForkingThreadHasFewDescriptors(t *testing.T) {
	for range 50 {
		newPipe(t)
	}
	var before, after []string
	onForkingThread(t, func(forkFiles) { before = ownDescriptors() })
	if len(before) > 20 {
		t.Errorf("a forking thread has %d descriptors: %q", len(before), before)
	}
	for range 50 {
		newPipe(t)
	}
	onForkingThread(t, func(forkFiles) { after = ownDescriptors() })
	if len(after) > len(before)+2 {
		t.Errorf("with more open in the process they are %d, not %d: %q", len(after), len(before), after)
	}
}

// Whoever waits for the end of a pipe, or for a lock, waits for what the process closes and for nothing else.
func TestForkingThreadKeepsNothingOpen(t *testing.T) {
	r, w := newPipe(t)
	other, _ := newPipe(t)
	var left []string
	onForkingThread(t, func(files forkFiles) {
		before := ownDescriptors()
		own, err := files.adapt(&syscall.ProcAttr{
			Files: []uintptr{other.Fd(), w.Fd(), w.Fd()},
			Sys:   &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(other.Fd())},
		})
		if err != nil {
			t.Error(err)
			return
		}
		if got := len(ownDescriptors()) - len(before); got != 3 {
			t.Errorf("%d descriptors for a child, want 3", got)
		}
		files.drop(own)
		if left = ownDescriptors(); !slices.Equal(left, before) {
			t.Errorf("left open: %q, before: %q", left, before)
		}
	})
	w.Close()
	if err := r.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the pipe is still open, the thread has %q: %v", left, err)
	}
}

func TestForkingThreadTellsWhatItCannotTake(t *testing.T) {
	r, _ := newPipe(t)
	var before, after []string
	var err error
	onForkingThread(t, func(files forkFiles) {
		before = ownDescriptors()
		_, err = files.adapt(&syscall.ProcAttr{Files: []uintptr{r.Fd(), 1 << 20}, Sys: &syscall.SysProcAttr{}})
		after = ownDescriptors()
	})
	if errno, ok := err.(*os.SyscallError); !ok || errno.Err != unix.EBADF {
		t.Errorf("a descriptor that is not there: %v", err)
	}
	if !slices.Equal(before, after) {
		t.Errorf("left open: %q, before: %q", after, before)
	}
}
