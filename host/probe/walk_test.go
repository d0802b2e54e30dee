package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

// kubelet is what the documentation of Kubernetes says of one round after the other: three probes with the same
// period, asked at the same moments.
type kubelet struct {
	h                       *spec.Health
	started, failed, killed bool
	ready                   Result
	tally                   map[Role]*tally
	events                  []string
}

func (k *kubelet) round(answers map[Role]bool) {
	count := func(r Role, p *spec.Probe) (Result, bool) {
		t := k.tally[r]
		verdict, limit := Failure, p.FailureThreshold
		if answers[r] {
			verdict, limit = Success, 1
			if r == Readiness {
				limit = p.SuccessThreshold
			}
		}
		if t.last != verdict {
			*t = tally{last: verdict}
		}
		t.run++
		return verdict, t.run >= limit
	}
	if k.failed {
		return
	}
	if !k.started {
		switch v, reached := count(Startup, k.h.Startup); {
		case !reached:
			return
		case v == Failure:
			k.failed = true
			k.events = append(k.events, "startup_failed")
			return
		}
		k.started = true
		k.events = append(k.events, "startup_passed")
	}
	if v, reached := count(Readiness, k.h.Readiness); reached && v != k.ready {
		k.ready = v
		k.events = append(k.events, map[Result]string{Success: "ready", Failure: "not_ready"}[v])
	}
	if k.killed {
		return
	}
	if v, reached := count(Liveness, k.h.Liveness); reached && v == Failure {
		k.killed = true
		k.events = append(k.events, "liveness_failed")
	}
}

func TestRandomAnswersGoAsInKubernetes(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 4711))
		inBubble(t, func(b *bubble) {
			h := &spec.Health{Startup: ask("startup", second, 1+rnd.IntN(6)), Readiness: ask("readiness", second, 1+rnd.IntN(4)), Liveness: ask("liveness", second, 1+rnd.IntN(5))}
			h.Readiness.SuccessThreshold = 1 + rnd.IntN(3)
			model := &kubelet{h: h, tally: map[Role]*tally{Startup: {}, Readiness: {}, Liveness: {}}}
			for n := range 60 {
				answers := map[Role]bool{}
				for _, r := range roles {
					answers[r] = rnd.IntN(10) < 6
					b.service.set(string(r), map[bool]string{true: "", false: "no"}[answers[r]])
				}
				if n == 0 {
					b.run(h)
					b.pass(second / 2)
				} else {
					b.pass(second)
				}
				model.round(answers)
				var got []string
				for _, e := range b.seen.take() {
					_, kind, _ := strings.Cut(e, " ")
					kind, _, _ = strings.Cut(kind, ":")
					got = append(got, kind)
				}
				slices.Sort(got)
				slices.Sort(model.events)
				if !slices.Equal(got, model.events) {
					t.Fatalf("seed %d, round %d: got %q, want %q", seed, n, got, model.events)
				}
				model.events = nil
			}
		})
	}
}

// Anything may be called at any moment: nothing hangs, no two rounds of a probe overlap, no event comes twice in
// a row, and none after Stop.
func TestRandomCallsKeepTheRules(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			set := NewSet(Options{Workers: 3, Programs: 2})
			defer set.Close()
			var watches []*Watch
			var ended []*atomic.Bool
			for n := range 6 {
				var mu sync.Mutex
				active := map[string]int{}
				exec := func(ctx context.Context, argv []string) error {
					key := argv[0]
					mu.Lock()
					active[key]++
					if active[key] > 1 {
						t.Errorf("seed %d: two rounds of %s at once", seed, key)
					}
					d, bad := time.Duration(rand.IntN(1500))*time.Millisecond, rand.IntN(3) == 0
					mu.Unlock()
					defer func() {
						mu.Lock()
						active[key]--
						mu.Unlock()
					}()
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(d):
					}
					if bad {
						return errors.New("bad")
					}
					return nil
				}
				var last EventKind
				stopped := &atomic.Bool{}
				ended = append(ended, stopped)
				watches = append(watches, set.Watch(Run{Key: fmt.Sprint(n), Exec: exec}, randomHealth(rnd), func(e Event) {
					if stopped.Load() {
						t.Errorf("seed %d: an event after Stop: %+v", seed, e)
					}
					if e.Kind == last && (e.Kind == Ready || e.Kind == NotReady || e.Kind == StartupPassed) {
						t.Errorf("seed %d: %s twice", seed, e.Kind)
					}
					if e.Kind != ProgramTold {
						last = e.Kind
					}
				}))
			}
			for range 300 {
				which := rnd.IntN(len(watches))
				w := watches[which]
				switch rnd.IntN(10) {
				case 0, 1, 2:
					w.Apply(randomHealth(rnd))
				case 3:
					w.Pause()
				case 4, 5:
					w.Resume()
				case 6:
					w.Line([]byte("tick 7"))
				case 7:
					w.Notify(Message{Ready: rnd.IntN(2) == 0, Watchdog: true, Stopping: rnd.IntN(9) == 0, Trigger: rnd.IntN(20) == 0, Extend: time.Duration(rnd.IntN(2)) * second})
				case 8:
					for _, p := range w.Snapshot().Probes {
						if p.Successes > 0 && p.Failures > 0 || p.Failed > p.Rounds {
							t.Errorf("%+v", p)
						}
					}
				case 9:
					if rnd.IntN(20) == 0 {
						w.Stop()
						synctest.Wait() // one that was being reported
						ended[which].Store(true)
					}
				}
				time.Sleep(time.Duration(rnd.IntN(700)) * time.Millisecond)
			}
			// Whatever was done, one that is asked something new answers.
			for n, w := range watches {
				w.Apply(&spec.Health{Readiness: &spec.Probe{Exec: []string{fmt.Sprint("last", n)}, Period: second, Timeout: 10 * second}})
				w.Resume()
			}
			time.Sleep(time.Minute)
			for n, w := range watches {
				s := w.Snapshot()
				if !w.stopped.Load() && (len(s.Probes) != 1 || s.Probes[0].Result == Unknown) {
					t.Errorf("seed %d: watch %d is stuck: %+v", seed, n, s)
				}
			}
		})
	}
}

func randomHealth(rnd *rand.Rand) *spec.Health {
	one := func(role string) *spec.Probe {
		p := &spec.Probe{Period: time.Duration(1+rnd.IntN(3)) * second, Timeout: second, FailureThreshold: 1 + rnd.IntN(3), SuccessThreshold: 1, InitialDelay: time.Duration(rnd.IntN(2)) * second}
		switch rnd.IntN(5) {
		case 0:
			return nil
		case 1:
			p.Log = `tick \d`
		case 2:
			p.Notify = true
		default:
			p.Exec = []string{role, fmt.Sprint(rnd.IntN(3))}
		}
		return p
	}
	return &spec.Health{Startup: one("startup"), Readiness: one("readiness"), Liveness: one("liveness")}
}
