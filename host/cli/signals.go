package cli

import (
	"context"
	"os"
	"os/signal"
	"time"
)

// sameStop is how close together signals mean one wish: timeout(1) and a terminal send theirs to the
// process and to its group.
const sameStop = 200 * time.Millisecond

// signals returns a context that the first Ctrl-C or SIGTERM ends, and a channel that a second Ctrl-C
// closes. A third ends the process in the way of the system.
func signals() (ctx context.Context, force <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	forced := make(chan struct{})
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, endSignals...)
	done := make(chan struct{})
	go func() {
		var first time.Time
		for {
			select {
			case s := <-ch:
				switch {
				case first.IsZero():
					first = time.Now()
					code := exitTerminated
					if s == os.Interrupt {
						code = exitInterrupted
					}
					cancel(&stopped{code})
				case s == os.Interrupt && time.Since(first) > sameStop:
					signal.Stop(ch)
					close(forced)
					return
				}
			case <-done:
				return
			}
		}
	}()
	return ctx, forced, func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
}
