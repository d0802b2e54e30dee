package supervisor

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/requires"
	"servicehost/spec"
)

// walker makes random events on a supervisor and knows what should run when they end.
type walker struct {
	*rig
	rnd   *rand.Rand
	specs map[string]*spec.Service
	down  map[string]bool
	n     int
}

func (w *walker) names() []string {
	var out []string
	for n := range w.specs {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (w *walker) spec() *spec.Spec {
	var all []*spec.Service
	for _, n := range w.names() {
		all = append(all, w.specs[n])
	}
	return makeSpec(all...)
}

// edit changes, adds or removes one service. Dependencies only go to names before, so there is no cycle.
func (w *walker) edit() {
	names := w.names()
	name := string(rune('a' + w.rnd.IntN(8)))
	if w.specs[name] != nil && w.rnd.IntN(4) == 0 {
		delete(w.specs, name)
		for other, s := range w.specs {
			if _, on := s.DependsOn[name]; on {
				c := *s // a spec that was handed out is never changed
				c.DependsOn = maps.Clone(s.DependsOn)
				delete(c.DependsOn, name)
				c.Hash += "-" + name
				w.specs[other] = &c
			}
		}
		return
	}
	w.n++
	w.specs[name] = service(name, arg(fmt.Sprint(w.n)), func(s *spec.Service) {
		s.Enabled = w.rnd.IntN(6) > 0
		s.Restart.Limit = 0
		s.Restart.Policy = spec.RestartAlways
		if w.rnd.IntN(3) == 0 {
			s.Requires.Files = []string{"now and then"}
		}
		if w.rnd.IntN(3) == 0 {
			startFirst(s)
		}
		if w.rnd.IntN(2) == 0 {
			s.OnChange, s.Config = hangup, fmt.Sprint(w.n)
		}
		s.DependsOn = map[string]spec.Dependency{}
		for _, on := range names {
			if on < name && w.rnd.IntN(3) == 0 {
				s.DependsOn[on] = spec.Dependency{Condition: spec.ConditionStarted, Required: true}
			}
		}
	})
}

// configure changes what a program reads itself.
func (w *walker) configure() {
	if names := w.names(); len(names) > 0 {
		name := names[w.rnd.IntN(len(names))]
		c := *w.specs[name]
		w.n++
		c.Config = fmt.Sprint(w.n)
		c.Hash += "-" + c.Config
		w.specs[name] = &c
	}
}

func (w *walker) event() string {
	ctx, cancel := context.WithCancel(context.Background())
	living := w.fake.Living()
	switch k := w.rnd.IntN(13); {
	case k < 3, k == 12:
		if w.edit(); k == 12 {
			w.configure()
		}
		go func() { defer cancel(); w.sup.Apply(ctx, w.spec(), nil, false) }()
		synctest.Wait()
		return "edit"
	case k < 6 && len(living) > 0:
		cancel()
		for _, id := range living {
			w.fake.Exit(id, w.rnd.IntN(3), "")
			return "exit of " + id.String()
		}
	case k < 9 && len(w.specs) > 0:
		name := w.names()[w.rnd.IntN(len(w.specs))]
		verb := []Verb{Start, Stop, Restart}[w.rnd.IntN(3)]
		if verb == Stop {
			w.down[name] = true
		} else {
			delete(w.down, name)
		}
		go func() { defer cancel(); w.sup.Do(ctx, Act{Verb: verb, Names: []string{name}, Actor: "walker"}) }()
		synctest.Wait()
		return string(verb) + " " + name
	case k == 9:
		cancel()
		w.sup.Pause(true)
		return "pause"
	case k == 10:
		cancel()
		w.sup.Pause(false)
		return "resume"
	}
	cancel()
	return "nothing"
}

// may and must bound what runs in the end. A dependency that is down keeps from starting, but stops
// nobody who runs.
func (w *walker) may(name string) bool { return w.specs[name].Enabled && !w.down[name] }

func (w *walker) must(name string) bool {
	for on := range w.specs[name].DependsOn {
		if !w.must(on) {
			return false
		}
	}
	return w.may(name)
}

// TestRandomWalkEndsWhereTheModelSays lets random exits, edits and wishes meet at random times. The
// backend panics on a double start, the state machine on a transition that is not in its table; in
// the end exactly what the model says has to run, with the newest spec.
func TestRandomWalkEndsWhereTheModelSays(t *testing.T) {
	rounds, events := 60, 120
	if testing.Short() {
		rounds = 10
	}
	for round := range rounds {
		seed := rand.Uint64()
		if v, err := strconv.ParseUint(os.Getenv("HOST_WALK_SEED"), 10, 64); err == nil {
			seed = v // to see one walk again, as far as goroutines let it be the same
		}
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			behave := rand.New(rand.NewPCG(seed, 4)) // the fake calls it under its lock
			fake := processtest.New()
			var calm atomic.Bool
			fake.Beside = true
			fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
				if calm.Load() {
					return processtest.Behavior{Rereads: true}
				}
				b := processtest.Behavior{Rereads: true, StopAfter: time.Duration(behave.IntN(3000)) * time.Millisecond}
				switch behave.IntN(6) {
				case 0:
					b.ExitAfter = time.Duration(1+behave.IntN(20000)) * time.Millisecond
					b.Code = behave.IntN(2)
				case 1:
					b.IgnoreStop = true
				case 2:
					b.Linger = time.Duration(behave.IntN(8000)) * time.Millisecond
				case 3:
					if behave.IntN(3) == 0 {
						b.StartError = &process.Error{Kind: process.ErrResources, Message: "no luck"}
					}
				}
				return b
			}
			w := &walker{rig: newRig(t, fake, nil), rnd: rnd, specs: map[string]*spec.Service{}, down: map[string]bool{}}
			var looks atomic.Uint64
			w.sup.env.require = func(ctx context.Context, _ spec.Requires, _ requires.Env) []requires.Unmet {
				n := looks.Add(1) * (seed | 1)
				select {
				case <-time.After(time.Duration(n%7) * 300 * time.Millisecond):
				case <-ctx.Done():
				}
				if n%3 == 0 && !calm.Load() {
					return []requires.Unmet{{Message: "not now"}}
				}
				return nil
			}
			w.edit()
			w.apply(w.spec().Services...)
			var story []string
			for range events {
				story = append(story, w.event())
				settle(time.Duration(rnd.ExpFloat64() * float64(2*time.Second)))
			}
			calm.Store(true) // from now on everything works
			w.sup.Pause(false)
			settle(time.Hour)
			for _, name := range w.names() {
				p := w.snap(name)
				if run := p.State == Running; run && !w.may(name) || !run && w.must(name) {
					t.Errorf("round %d, seed %d: %s is %s (%s), may run: %v, must: %v; last events %v", round, seed, name, p.State, p.Reason, w.may(name), w.must(name), story[len(story)-10:])
				}
				held := p.Rollout != nil && p.Rollout.State == RolloutHeld && !w.must(name)
				if p.State == Running && p.SpecState != SpecRolledBack && !held &&
					(p.Spec.Hash != w.specs[name].Hash || !slices.Equal(fake.Request(p.Run).Args, w.specs[name].Command)) {
					t.Errorf("round %d, seed %d: %s runs %v, spec %s (%s, rejected %s), want %v; last events %v", round, seed, name,
						fake.Request(p.Run).Args[1:], p.Spec.Command[1:], p.SpecState, p.Rejected, w.specs[name].Command[1:], story[len(story)-20:])
				}
			}
			for _, name := range w.names() {
				if p, up := w.snap(name), fake.Up(name, 1); p.State == Running && (len(up) != 1 || up[0] != p.Run) || !p.State.hasProcess() && len(up) > 0 {
					t.Errorf("round %d, seed %d: %s is %s with %v, up are %v", round, seed, name, p.State, p.Run, up)
				}
			}
			if n := len(w.sup.Snapshots()); n != len(w.specs) {
				t.Errorf("round %d, seed %d: %d instances, want %d", round, seed, n, len(w.specs))
			}
		})
		if t.Failed() {
			return
		}
	}
}
