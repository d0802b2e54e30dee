package host

import (
	"runtime"
	"testing"
)

func TestMemoryOfABurstIsGivenBack(t *testing.T) {
	const burst = 64 << 20
	work := make([]byte, burst)
	for i := range work {
		work[i] = 1
	}
	runtime.KeepAlive(work)
	runtime.GC()
	released := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapReleased
	}
	before := released()
	new(trimmer).look()
	if after := released(); after < before+burst/2 {
		t.Errorf("%d bytes were given back before, and %d after", before, after)
	}
}
