package supervisor

import (
	"fmt"
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
	"servicehost/spec"
)

// TestRandomWalkOfRunsBesideOthers lets edits, crashes, probe results and wishes meet at random times. In the
// end one run of the wanted spec is up, or none.
func TestRandomWalkOfRunsBesideOthers(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 20
	}
	for range rounds {
		seed := rand.Uint64()
		if v, err := strconv.ParseUint(os.Getenv("HOST_WALK_SEED"), 10, 64); err == nil {
			seed = v
		}
		synctest.Test(t, func(t *testing.T) {
			rnd, behave := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
			r := beside(t)
			var calm atomic.Bool
			r.fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
				b := processtest.Behavior{StopAfter: time.Duration(behave.IntN(4000)) * time.Millisecond}
				switch n := behave.IntN(8); {
				case calm.Load():
				case n == 0:
					b.ExitAfter = time.Duration(1+behave.IntN(15000)) * time.Millisecond
				case n == 1:
					b.IgnoreStop = true
				case n == 2:
					b.Linger = time.Duration(behave.IntN(8000)) * time.Millisecond
				case n == 3:
					b.StartError = &process.Error{Kind: process.ErrResources, Message: "no luck"}
				}
				return b
			}
			down, edits := false, 0
			make1 := func() *spec.Service {
				return service("api", probed, startFirst, arg(fmt.Sprint(edits)), func(s *spec.Service) { s.Restart.Policy, s.Restart.Limit = spec.RestartAlways, 0 })
			}
			r.begin(make1())
			var story []string
			for range 60 {
				what := "nothing"
				switch n := rnd.IntN(10); {
				case n < 3:
					edits += 1 - 2*rnd.IntN(2)
					what = fmt.Sprint("edit ", edits)
					r.begin(make1())
				case n < 5:
					if up := r.fake.Up("api", 1); len(up) > 0 {
						id := up[rnd.IntN(len(up))]
						what = "exit of " + id.String()
						r.fake.Exit(id, rnd.IntN(2), "")
					}
				case n < 7:
					c := []HealthChange{BecameNotReady, BecameReady, LivenessFailed}[rnd.IntN(3)]
					what = fmt.Sprint("health ", c)
					if w := r.probes.of("api"); w != nil {
						w.say(c, "by chance")
					}
				case n < 9:
					verb := []Verb{Restart, Start, Stop}[rnd.IntN(3)]
					down, what = verb == Stop, string(verb)
					if _, err := r.sup.Do(t.Context(), Act{Verb: verb, Names: []string{"api"}, Actor: "walker", NoWait: true}); err != nil {
						t.Fatal(err)
					}
				}
				story = append(story, what)
				settle(time.Duration(rnd.ExpFloat64() * float64(2*time.Second)))
			}
			calm.Store(true)
			settle(time.Hour)
			p, up := r.snap("api"), r.fake.Up("api", 1)
			story = story[len(story)-12:]
			switch {
			case down:
				if p.State != Stopped || len(up) != 0 {
					t.Errorf("seed %d: %s (%s), up are %v; %v", seed, p.State, p.Reason, up, story)
				}
			case p.State != Running || len(up) != 1 || up[0] != p.Run || p.Rollout != nil:
				t.Errorf("seed %d: %s (%s), runs %v, up are %v, rollout %+v; %v", seed, p.State, p.Reason, p.Run, up, p.Rollout, story)
			case p.SpecState != SpecRolledBack && p.Spec.Command[1] != fmt.Sprint(edits), !slices.Equal(r.fake.Request(p.Run).Args, p.Spec.Command):
				t.Errorf("seed %d: runs %v of %v (%s), want %d; %v", seed, r.fake.Request(p.Run).Args, p.Spec.Command, p.SpecState, edits, story)
			}
			if t.Failed() {
				for _, e := range r.events[max(0, len(r.events)-40):] {
					t.Logf("%s %s#%d %s→%s: %s", e.Time.Format("15:04:05.000"), e.Kind, e.Incarnation, e.From, e.To, e.Reason)
				}
			}
		})
		if t.Failed() {
			return
		}
	}
}
