package supervisor

import (
	"runtime"
	"testing"
	"time"

	"servicehost/host/process/processtest"
)

// What an idle service may cost, with what the fake backend keeps of it: some 5 KiB on a 64-bit machine, no goroutine.
const (
	idleBytes      = 10 << 10
	idleGoroutines = 0.1
)

func TestIdleServiceCostsLittle(t *testing.T) {
	bytes, goroutines := idleCost(t)
	t.Logf("%.0f bytes, %.3f goroutines", bytes, goroutines)
	if bytes > idleBytes {
		t.Errorf("an idle service takes %.0f bytes of the heap, more than %d", bytes, idleBytes)
	}
	if goroutines > idleGoroutines {
		t.Errorf("an idle service has %.2f goroutines", goroutines)
	}
}

// BenchmarkIdle1000 is for what it reports: heap and goroutines of one of a thousand idle services.
func BenchmarkIdle1000(b *testing.B) {
	var bytes, goroutines float64
	for b.Loop() {
		bytes, goroutines = idleCost(b)
	}
	b.ReportMetric(bytes, "B/service")
	b.ReportMetric(goroutines, "goroutines/service")
	b.ReportMetric(0, "ns/op")
}

// idleCost runs a thousand services over a fake backend until all of them are idle.
func idleCost(t testing.TB) (bytes, goroutines float64) {
	t.Helper()
	all := thousand()
	heap, had := heapInUse(), runtime.NumGoroutine()
	sup := supervise(t, processtest.New(), all...)
	running := func() bool {
		for _, p := range sup.Snapshots() {
			if p.State != Running {
				return false
			}
		}
		return float64(runtime.NumGoroutine()-had) < idleGoroutines*float64(len(all))
	}
	for deadline := time.Now().Add(20 * time.Second); !running() && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	n := float64(len(all))
	bytes, goroutines = float64(heapInUse()-heap)/n, float64(runtime.NumGoroutine()-had)/n
	runtime.KeepAlive(sup)
	return bytes, goroutines
}

// heapInUse is what is reachable. The first collection leaves what pools hold.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
