package usage_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/process"
	"servicehost/host/usage"
)

// source is a backend whose runs use what a test says.
type source struct {
	mu    sync.Mutex
	list  []usage.Instance
	use   map[process.RunID]process.Usage
	err   error
	looks []process.RunID // cheap ones
	fulls []process.RunID
	hang  map[process.RunID]chan struct{}
}

func newSource(instances ...string) *source {
	s := &source{use: map[process.RunID]process.Usage{}, hang: map[process.RunID]chan struct{}{}}
	for _, id := range instances {
		s.list = append(s.list, usage.Instance{ID: id, Run: run(id, 1), StartedAt: time.Now()})
	}
	return s
}

func run(id string, incarnation uint64) process.RunID {
	return process.RunID{Service: id, Instance: 1, Incarnation: incarnation}
}

func (s *source) set(f func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *source) count() (cheap, full int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.looks), len(s.fulls)
}

func (s *source) options() usage.Options {
	return usage.Options{
		Usage: func(id process.RunID, full bool) (process.Usage, error) {
			s.mu.Lock()
			if full {
				s.fulls = append(s.fulls, id)
			} else {
				s.looks = append(s.looks, id)
			}
			u, err, hang := s.use[id], s.err, s.hang[id]
			s.mu.Unlock()
			if full && hang != nil {
				<-hang
			}
			return u, err
		},
		Instances: func() []usage.Instance {
			s.mu.Lock()
			defer s.mu.Unlock()
			return slices.Clone(s.list)
		},
	}
}

// play runs f in a bubble of fake time with a sampler of s.
func play(t *testing.T, f func(t *testing.T, s *source, u *usage.Sampler), instances ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSource(instances...)
		u := usage.New(s.options())
		defer u.Close()
		f(t, s, u)
	})
}

func TestCPUIsThatSinceTheFormerSample(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		use := func(cpu time.Duration) {
			s.set(func(s *source) { s.use[run("a", 1)] = process.Usage{CPU: cpu, Memory: 5 << 20} })
		}
		want := func(percent float64) {
			t.Helper()
			if got := u.Now(false)["a"]; got.CPUPercent != percent || got.Memory != 5<<20 {
				t.Errorf("%v%% and %d bytes, want %v%%", got.CPUPercent, got.Memory, percent)
			}
		}
		time.Sleep(2 * time.Second)
		use(time.Second)
		want(50) // since its start
		time.Sleep(2 * time.Second)
		use(5 * time.Second)
		want(200)
		use(time.Hour)
		want(200) // too young to be measured again

		// A new run counts from its own start.
		s.set(func(s *source) {
			s.list[0].Run, s.list[0].StartedAt = run("a", 2), time.Now()
			s.use[run("a", 2)] = process.Usage{CPU: 100 * time.Millisecond, Memory: 5 << 20}
		})
		time.Sleep(200 * time.Millisecond)
		want(50)
		// What ended may take its CPU along where the system does not count it.
		time.Sleep(2 * time.Second)
		s.set(func(s *source) { s.use[run("a", 2)] = process.Usage{Memory: 5 << 20} })
		want(0)
	}, "a")
}

func TestFullLookAtAYoungSample(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		s.set(func(s *source) {
			s.use[run("a", 1)] = process.Usage{CPU: time.Second, Memory: 1 << 20, Handles: 7, ReadBytes: 10}
		})
		time.Sleep(time.Second)
		first := u.Now(false)["a"]
		second := u.Now(true)["a"] // asked for what the young one does not have
		u.Now(true)
		if cheap, full := s.count(); cheap != 1 || full != 1 {
			t.Errorf("%d cheap and %d full looks, want one of each", cheap, full)
		}
		if second.CPUPercent != first.CPUPercent || second.CPUPercent != 100 || second.Handles != 7 {
			t.Errorf("%+v after %+v", second, first)
		}
		time.Sleep(10 * time.Second)
		s.set(func(s *source) { s.use[run("a", 1)] = process.Usage{CPU: time.Second, Memory: 3 << 20, Threads: 2} })
		third := u.Now(false)["a"]
		if third.Handles != 7 || third.ReadBytes != 10 || third.Threads != 2 || third.PeakMemory != 3<<20 {
			t.Errorf("a cheap look lost what the full one found: %+v", third)
		}
		// A member ended and took its count along: totals never go down.
		time.Sleep(10 * time.Second)
		s.set(func(s *source) { s.use[run("a", 1)] = process.Usage{ReadBytes: 4, Memory: 1 << 20} })
		u.Now(true)
		time.Sleep(10 * time.Second)
		s.set(func(s *source) { s.use[run("a", 1)] = process.Usage{ReadBytes: 6, Memory: 1 << 20} })
		if last := u.Now(true)["a"]; last.ReadBytes != 12 || last.PeakMemory != 3<<20 || last.Handles != 0 {
			t.Errorf("%+v, want 12 bytes read and a peak of 3 MiB", last)
		}
	}, "a")
}

func TestSlowRoundIsSpread(t *testing.T) {
	names := make([]string, 1000)
	for n := range names {
		names[n] = fmt.Sprintf("s%03d", n)
	}
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		most := 0
		for range 300 / 5 {
			before, _ := s.count()
			time.Sleep(5 * time.Second)
			synctest.Wait()
			after, _ := s.count()
			most = max(most, after-before)
		}
		seen := map[process.RunID]int{}
		s.set(func(s *source) {
			for _, id := range s.looks {
				seen[id]++
			}
		})
		if len(seen) != 1000 || slices.Max(slices.Collect(maps.Values(seen))) > 2 || most > 20 {
			t.Errorf("%d of 1000 sampled in 5 minutes, %d at once", len(seen), most)
		}
		if _, full := s.count(); full != 0 {
			t.Errorf("%d full looks that nobody asked for", full)
		}
	}, names...)
}

func TestNothingHappensWithoutInstances(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		time.Sleep(time.Hour)
		if len(u.Now(true)) != 0 {
			t.Error("a sample of nothing")
		}
		if _, ok := u.Latest("a"); ok {
			t.Error("something is known of nobody")
		}
		if h := u.History("a"); len(h.Fine.Points)+len(h.Coarse.Points) != 0 || h.Fine.Step != 5*time.Second || h.Coarse.Step != 5*time.Minute {
			t.Errorf("%+v", h)
		}
	})
}

func TestOneInstanceIsSampledOnceInFiveMinutes(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		time.Sleep(time.Hour)
		synctest.Wait()
		if cheap, full := s.count(); cheap < 12 || cheap > 13 || full != 0 {
			t.Errorf("%d cheap and %d full looks in an hour", cheap, full)
		}
		if h := u.History("a"); len(h.Fine.Points) != 0 || len(h.Coarse.Points) < 12 {
			t.Errorf("%d fine and %d coarse points in an hour of peace", len(h.Fine.Points), len(h.Coarse.Points))
		}
	}, "a")
}

func TestALookIsGoodForAMinute(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		time.Sleep(time.Second)
		u.NowOf(map[string]bool{"a": true}, true)
		time.Sleep(time.Minute)
		synctest.Wait()
		cheap, full := s.count()
		if cheap < 22 || cheap > 26 || full != 1 { // both, every 5 s
			t.Errorf("%d cheap and %d full looks in the minute after a look", cheap, full)
		}
		if a, b := len(u.History("a").Fine.Points), len(u.History("b").Fine.Points); a < 12 || a > 13 || b < 11 {
			t.Errorf("%d and %d fine points of a minute", a, b)
		}
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if more, _ := s.count(); more-cheap > 4 {
			t.Errorf("%d more looks with nobody there", more-cheap)
		}
		time.Sleep(6 * time.Minute)
		if n := len(u.History("a").Fine.Points); n > 3 {
			t.Errorf("%d fine points of what is long past", n)
		}
	}, "a", "b")
}

func TestWatched(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		got := make(chan usage.Sample, 100)
		s.set(func(s *source) {
			s.use[run("a", 1)] = process.Usage{Handles: 3, Memory: 1}
			s.list[2].Run = process.RunID{} // c is stopped
		})
		u.Watch(map[string]bool{"a": true, "b": false, "c": true, "unknown": true}, func(v usage.Sample) { got <- v })
		time.Sleep(time.Minute)
		synctest.Wait()
		if cheap, full := s.count(); full != 6 || cheap < 6 || cheap > 7 {
			t.Errorf("%d cheap and %d full looks in a minute", cheap, full)
		}
		if len(got) != 12 {
			t.Fatalf("told of %d samples, want 12", len(got))
		}
		for range 6 {
			if a, b := <-got, <-got; a.ID != "a" || a.Handles != 3 || b.ID != "b" {
				t.Errorf("%+v, %+v", a, b)
			}
		}
		u.Watch(map[string]bool{"b": false}, func(v usage.Sample) { got <- v })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(got) != 1 || (<-got).ID != "b" {
			t.Error("the new watch did not replace the old one")
		}
		u.Watch(nil, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(got) != 0 {
			t.Error("told although nothing is watched")
		}
	}, "a", "b", "c")
}

func TestHistoryOverRuns(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		use := func(id process.RunID, memory int64) {
			s.set(func(s *source) { s.use[id] = process.Usage{Memory: memory} })
		}
		use(run("a", 1), 7<<20)
		u.Now(false)
		time.Sleep(10 * time.Second)
		s.set(func(s *source) { s.list[0].Run = process.RunID{} }) // stopped
		if v := u.Now(false); len(v) != 0 {
			t.Errorf("a sample of a stopped service: %v", v)
		}
		if _, ok := u.Latest("a"); ok {
			t.Error("the sample of the ended run is told as the latest")
		}
		time.Sleep(10 * time.Second)
		s.set(func(s *source) { s.list[0].Run = run("a", 2) })
		use(run("a", 2), 9<<20)
		u.Now(false)
		points := u.History("a").Fine.Points
		if len(points) < 3 || points[0].Memory != 7<<20 || points[len(points)-1].Memory != 9<<20 {
			t.Errorf("%v", points)
		}
		for n, p := range points[1:] {
			if !p.At.After(points[n].At) {
				t.Errorf("not in order: %v", points)
			}
		}
		s.set(func(s *source) { s.list = nil })
		u.Now(false)
		if h := u.History("a"); len(h.Fine.Points)+len(h.Coarse.Points) != 0 {
			t.Error("the history of a removed instance is kept")
		}
	}, "a")
}

func TestUnknownUsage(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		s.set(func(s *source) { s.err = errors.New("not on this system") })
		time.Sleep(11 * time.Minute)
		if len(u.Now(true)) != 0 {
			t.Error("a sample in spite of the error")
		}
		seen := map[process.RunID]bool{}
		s.set(func(s *source) {
			for _, id := range s.looks {
				seen[id] = true
			}
		})
		if len(seen) != 2 {
			t.Errorf("%d of 2 were tried", len(seen))
		}
	}, "a", "b")
}

// A full look may wait for a process that is stuck in the kernel: nothing else waits with it.
func TestFullLookThatHangs(t *testing.T) {
	play(t, func(t *testing.T, s *source, u *usage.Sampler) {
		let := make(chan struct{})
		s.set(func(s *source) {
			s.hang[run("a", 1)] = let
			s.use[run("a", 1)] = process.Usage{Memory: 1 << 20}
			s.use[run("b", 1)] = process.Usage{Handles: 4}
		})
		begin := time.Now()
		v := u.Now(true)
		if v["a"].Memory != 1<<20 || v["b"].Handles != 4 || time.Since(begin) > 3*time.Second {
			t.Errorf("%v after %v", v, time.Since(begin))
		}
		time.Sleep(5 * time.Second)
		begin = time.Now()
		u.Now(true)
		if d := time.Since(begin); d > 0 {
			t.Errorf("waited %v again", d)
		}
		close(let)
		synctest.Wait()
		time.Sleep(5 * time.Second)
		_, before := s.count()
		u.Now(true)
		if _, after := s.count(); after != before+2 {
			t.Error("no full look after the stuck one returned")
		}
	}, "a", "b")
}
