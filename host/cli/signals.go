package cli

import (
	"context"
	"os"
	"os/signal"
)

// signals returns a context that the first Ctrl-C or SIGTERM ends, and a channel that the second one
// closes. A third ends the process in the way of the system.
func signals() (ctx context.Context, force <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	forced := make(chan struct{})
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, endSignals...)
	done := make(chan struct{})
	go func() {
		for n := 0; n < 2; n++ {
			select {
			case s := <-ch:
				if n == 0 {
					code := exitTerminated
					if s == os.Interrupt {
						code = exitInterrupted
					}
					cancel(&stopped{code})
					continue
				}
				signal.Stop(ch)
				close(forced)
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
