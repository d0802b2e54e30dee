package probe

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// failed is an answer that is none of success.
func failed(problem string) answer { return answer{problem: problem} }

// broken is a question that can't be put.
type broken string

func (b broken) ask(context.Context, time.Duration) answer { return failed(string(b)) }

// execAsker runs a program; exit code 0 is a success.
type execAsker struct {
	exec Exec
	argv []string
}

func (a execAsker) ask(ctx context.Context, timeout time.Duration) answer {
	if a.exec == nil {
		return failed("nothing here can run a program")
	}
	err := a.exec(ctx, a.argv)
	switch {
	case err == nil && ctx.Err() == nil:
		return answer{}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failed("not done after " + text(timeout))
	case err == nil:
		return failed("given up")
	}
	return failed(err.Error())
}

// fileAsker looks when a file was last written. It opens nothing and follows no link: who may write to the folder
// must not have a host with all rights reach for something else.
type fileAsker struct {
	path   string
	within time.Duration
	since  time.Time    // of a startup probe: the start of the run, and any time after it will do
	busy   *atomic.Bool // a look that has not come back, on a network drive that is gone
}

// coarse is how far the times of files may lie behind the clock: kernels stamp with that of their last tick.
const coarse = 20 * time.Millisecond

func (a *fileAsker) ask(ctx context.Context, timeout time.Duration) answer {
	if a.busy.Swap(true) {
		return failed("still no answer from its drive")
	}
	type look struct {
		info os.FileInfo
		err  error
	}
	done := make(chan look, 1)
	go func() {
		info, err := os.Lstat(a.path)
		a.busy.Store(false)
		done <- look{info, err}
	}()
	select {
	case l := <-done:
		return a.judge(l.info, l.err, time.Now())
	case <-ctx.Done():
		return failed("no answer from its drive within " + text(timeout))
	}
}

func (a *fileAsker) judge(info os.FileInfo, err error, now time.Time) answer {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return answer{problem: "it is not there", nobody: true}
	case err != nil:
		if e, ok := errors.AsType[*os.PathError](err); ok {
			err = e.Err
		}
		return failed(err.Error())
	case !info.Mode().IsRegular():
		return failed("it is no plain file")
	}
	// Both without the monotonic clock, which a sleep of the machine does not move.
	age := now.Round(0).Sub(info.ModTime())
	if !a.since.IsZero() {
		if info.ModTime().Before(a.since.Round(0).Add(-coarse)) {
			return answer{problem: "not touched since the start of the service", nobody: true}
		}
		return answer{}
	}
	if age > a.within+coarse {
		return failed("not touched for " + text(age) + ", wanted every " + text(a.within))
	}
	return answer{}
}
