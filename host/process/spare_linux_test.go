package process

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// There is one processor more while floods take it, whoever else takes it too, and for a while after.
func TestSpareProcessorIsGivenBackLater(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	t.Setenv("GOMAXPROCS", "") // the default is what is gone back to
	runtime.SetDefaultGOMAXPROCS()
	synctest.Test(t, func(t *testing.T) {
		var s spare
		n := runtime.GOMAXPROCS(0)
		expect := func(more int, when string) {
			t.Helper()
			synctest.Wait()
			if now := runtime.GOMAXPROCS(0); now != n+more {
				t.Errorf("%s: %d processors, and %d before", when, now, n)
			}
		}
		s.take()
		s.take()
		expect(1, "taken twice")
		s.giveBack()
		s.giveBack()
		time.Sleep(spareKept - time.Second)
		expect(1, "just given back")
		s.take()
		time.Sleep(2 * spareKept)
		expect(1, "taken again")
		s.giveBack()
		time.Sleep(spareKept + time.Second)
		expect(0, "given back long ago")
		s.giveBack()
		time.Sleep(2 * spareKept)
		expect(0, "given back once more")
	})
}
