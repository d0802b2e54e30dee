package process

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Who has waited longest is next when a turn ends, and nobody takes two at once.
func TestTurnsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		var got []int
		ended := make(chan int, 3)
		for i := range 3 {
			go func() {
				left := i + 1
				turns.run(func(time.Time) (time.Time, bool) {
					time.Sleep(time.Millisecond) // so that all wait
					got = append(got, i)
					left--
					return time.Now(), left == 0
				})
				ended <- i
			}()
			synctest.Wait()
		}
		for want := range 3 {
			if i := <-ended; i != want {
				t.Errorf("%d ended, not %d", i, want)
			}
		}
		synctest.Wait()
		if want := []int{0, 1, 2, 1, 2, 2}; !slices.Equal(got, want) {
			t.Errorf("turns of %v, want %v", got, want)
		}
		if len(turns.workers) != 0 || len(turns.waiting) != 0 {
			t.Errorf("%d workers and %d turns are left", len(turns.workers), len(turns.waiting))
		}
	})
}

// A turn that hangs keeps the others for a moment only, and who comes back from it is no worker more.
func TestTurnThatHangsIsPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		free, ended := make(chan struct{}), make(chan struct{}, 2)
		go func() {
			turns.run(func(time.Time) (time.Time, bool) {
				<-free
				return time.Now(), true
			})
			ended <- struct{}{}
		}()
		synctest.Wait()
		start, at, most := time.Now(), 0, 0
		for range 2 {
			go func() {
				n := 0
				turns.run(func(time.Time) (time.Time, bool) {
					if at++; at > most {
						most = at
					}
					time.Sleep(time.Millisecond)
					at--
					n++
					if n == 5 && free != nil {
						close(free)
						free = nil
					}
					return time.Now(), n == 10
				})
				ended <- struct{}{}
			}()
		}
		for range 3 {
			<-ended
		}
		if d := time.Since(start); d > 2*turnPatience+20*time.Millisecond {
			t.Errorf("they waited %v for one that hangs", d)
		}
		if most != 1 {
			t.Errorf("%d had a turn at once", most)
		}
		synctest.Wait()
		if len(turns.workers) != 0 || len(turns.waiting) != 0 {
			t.Errorf("%d workers and %d turns are left", len(turns.workers), len(turns.waiting))
		}
	})
}
