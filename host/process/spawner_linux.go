package process

import (
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// spawner owns the threads that children are forked from: the parent-death signal follows the thread,
// not the process (prctl(2), PR_SET_PDEATHSIG), so these threads must live as long as we do.
type spawner struct {
	work    chan func(forkFiles)
	child   chan os.Signal // SIGCHLD, several at once as one
	stop    chan struct{}
	threads atomic.Int32
	began   time.Time
	moved   atomic.Int64  // how long after began a fork ended last, or a thread was added
	swept   chan struct{} // closed when the sweeping goroutine has ended
}

const (
	// A fork blocks its thread until the child has called exec: two keep two cores busy.
	fewThreads = 2
	// More come only when all are stuck, as an exec from a hanging network drive may be: they stay for good. That a
	// fork had to wait does not tell, as it also does behind a thousand others on a busy machine.
	manyThreads = 32
	stuckAfter  = time.Second
)

func newSpawner(sweep func()) *spawner {
	s := &spawner{work: make(chan func(forkFiles)), child: make(chan os.Signal, 1), stop: make(chan struct{}), began: time.Now(), swept: make(chan struct{})}
	for range fewThreads {
		s.thread()
	}
	signal.Notify(s.child, unix.SIGCHLD)
	go func() {
		defer close(s.swept)
		defer signal.Stop(s.child)
		for {
			select {
			case <-s.child:
				sweep()
			case <-s.stop:
				return
			}
		}
	}()
	return s
}

// thread adds a thread, unless there are many.
func (s *spawner) thread() {
	if s.threads.Add(1) > manyThreads {
		s.threads.Add(-1)
		return
	}
	go s.serve()
}

// serve forks on the thread of its goroutine, which ends with it.
func (s *spawner) serve() {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() { // the main thread can't have descriptors of its own, see forkFiles
		other := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(other)
			s.forkHere()
		}()
		<-other
		runtime.UnlockOSThread()
		return
	}
	s.forkHere()
}

// forkHere is the work of a thread, which is the caller's own. It is never unlocked, so that it ends with its goroutine,
// after all children.
func (s *spawner) forkHere() {
	files := ownFiles()
	for {
		select {
		case f := <-s.work:
			f(files)
			s.moved.Store(int64(time.Since(s.began)))
		case <-s.stop:
			return
		}
	}
}

// do runs f on a thread that outlives all children, and waits for it. After close it does nothing. A descriptor of the
// process is known to f only by what it takes, and what f opens only to f.
func (s *spawner) do(f func(forkFiles)) {
	done := make(chan struct{})
	job := func(files forkFiles) { f(files); close(done) }
	select {
	case s.work <- job:
		<-done
		return
	case <-s.stop:
		return
	default:
	}
	stuck := time.NewTimer(stuckAfter)
	defer stuck.Stop()
	for {
		select {
		case s.work <- job:
			<-done
			return
		case <-s.stop:
			return
		case <-stuck.C:
			moved, now := s.moved.Load(), int64(time.Since(s.began))
			if time.Duration(now-moved) >= stuckAfter && s.moved.CompareAndSwap(moved, now) {
				s.thread()
			}
			stuck.Reset(stuckAfter)
		}
	}
}

// sweepSoon has sweep run as if a child had ended.
func (s *spawner) sweepSoon() {
	select {
	case s.child <- unix.SIGCHLD:
	default:
	}
}

func (s *spawner) close() {
	close(s.stop)
	<-s.swept
}
