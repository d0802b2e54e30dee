package reload

import (
	"context"
	"time"
)

// debounce calls act once it has been quiet for the time that quiet returns, after one or more pokes.
// Every poke starts that time anew; one that arrives while act runs counts for the next time. It
// returns when ctx ends.
func debounce(ctx context.Context, poke <-chan struct{}, quiet func() time.Duration, act func()) {
	timer := time.NewTimer(0)
	if !timer.Stop() {
		<-timer.C
	}
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poke:
			timer.Reset(quiet())
		case <-timer.C:
			act()
		}
	}
}
