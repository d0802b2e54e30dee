package process

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bareSpawner has threads, but hears of no child.
func bareSpawner() *spawner {
	s := &spawner{work: make(chan func(forkFiles)), stop: make(chan struct{}), began: time.Now()}
	for range fewThreads {
		s.thread()
	}
	return s
}

func TestSpawnerAddsNoThreadWhileForksAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bareSpawner()
		defer close(s.stop)
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() { s.do(func(forkFiles) { time.Sleep(stuckAfter / 2) }) })
		}
		all.Wait()
		if n := s.threads.Load(); n != fewThreads {
			t.Errorf("%d threads after a slow minute", n)
		}
	})
}

func TestSpawnerAddsOneThreadWhenAllAreStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bareSpawner()
		defer close(s.stop)
		drive := make(chan struct{})
		var stuck, all sync.WaitGroup
		for range fewThreads {
			stuck.Go(func() { s.do(func(forkFiles) { <-drive }) })
		}
		synctest.Wait()
		began := time.Now()
		for range 50 {
			all.Go(func() { s.do(func(forkFiles) {}) })
		}
		all.Wait()
		if took, n := time.Since(began), s.threads.Load(); took > 2*stuckAfter || n != fewThreads+1 {
			t.Errorf("%d threads, after %v", n, took)
		}
		close(drive)
		stuck.Wait()
	})
}
