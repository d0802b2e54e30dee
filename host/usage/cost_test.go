package usage_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/process"
	"servicehost/host/usage"
)

// many are the instances of a large host.
func many(count int) []usage.Instance {
	list := make([]usage.Instance, count)
	for n := range list {
		id := fmt.Sprintf("s%03d", n)
		list[n] = usage.Instance{ID: id, Run: run(id, 1), StartedAt: time.Now()}
	}
	return list
}

// What is remembered of a service after a day, and five minutes in which somebody looked, is 8 bytes for each of
// 60 and 288 points, and the last sample: less than 3.2 KiB.
func TestHistoryIsSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := many(200)
		var cpu time.Duration
		before := heap()
		u := usage.New(usage.Options{
			Usage: func(process.RunID, bool) (process.Usage, error) {
				cpu += time.Millisecond
				return process.Usage{CPU: cpu, Memory: 50 << 20, Processes: 1}, nil
			},
			Instances: func() []usage.Instance { return list },
		})
		time.Sleep(24 * time.Hour)
		for range 10 {
			u.Look()
			time.Sleep(30 * time.Second)
		}
		synctest.Wait()
		used := (heap() - before) / int64(len(list))
		h := u.History("s150")
		if len(h.Coarse.Points) < 285 || len(h.Fine.Points) < 58 {
			t.Errorf("%d coarse and %d fine points", len(h.Coarse.Points), len(h.Fine.Points))
		}
		t.Logf("%d bytes", used)
		if used > 3<<10+300 {
			t.Errorf("the history of a service takes %d bytes", used)
		}
		time.Sleep(20 * time.Minute) // nobody looks any more
		synctest.Wait()
		if less := (heap() - before) / int64(len(list)); less > used-400 {
			t.Errorf("it still takes %d of %d bytes when nobody looks", less, used)
		}
		u.Close()
		runtime.KeepAlive(u)
	})
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkNow is the sampler's own share of a look at a thousand services.
func BenchmarkNow(b *testing.B) {
	for _, full := range []bool{false, true} {
		b.Run(fmt.Sprintf("full=%t", full), func(b *testing.B) {
			list := many(1000)
			u := usage.New(usage.Options{
				Usage:     func(process.RunID, bool) (process.Usage, error) { return process.Usage{Memory: 50 << 20}, nil },
				Instances: func() []usage.Instance { return list },
			})
			defer u.Close()
			incarnation := uint64(1)
			for b.Loop() {
				incarnation++ // what is known is of another run: everything is measured
				for n := range list {
					list[n].Run.Incarnation = incarnation
				}
				if len(u.Now(full)) != len(list) {
					b.Fatal("not all were sampled")
				}
			}
		})
	}
}
