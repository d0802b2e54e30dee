package process

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who waits is next when a turn ends, and takes one anyway when none does for long.
func TestTurnsComeInOrderOrBeforePatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		start := time.Now()
		patience := time.NewTimer(turnPatience)
		turns.await(patience)
		if d := time.Since(start); d != 0 {
			t.Errorf("the first turn came after %v", d)
		}
		got := make(chan int, 2)
		for i := range 2 {
			go func() {
				turns.await(time.NewTimer(time.Hour))
				got <- i
			}()
			synctest.Wait()
		}
		if len(got) != 0 {
			t.Fatal("two have a turn at once")
		}
		turns.pass()
		if i := <-got; i != 0 || time.Since(start) != 0 {
			t.Errorf("%d was next, after %v", i, time.Since(start))
		}
		// The turn of the first hangs.
		if i := <-got; i != 1 || time.Since(start) != turnPatience {
			t.Errorf("%d was next, after %v", i, time.Since(start))
		}
		turns.pass()
		turns.pass()
		if n := len(turns); n != 1 {
			t.Errorf("%d turns at once are left", n)
		}
	})
}
