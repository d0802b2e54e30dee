package supervisor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

// While a change waits for what the service depends on, the current run is looked after as ever.
func TestHeldRolloutGoesOnLookingAfterTheCurrentRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		limited := func(s *spec.Service) { s.MaxRuntime = time.Hour }
		db := service("db")
		r.apply(db, service("api", probed, startFirst, needs(spec.ConditionStarted, "db"), limited))
		settle(time.Second)
		r.do(Act{Verb: Stop, Names: []string{"db"}})
		r.begin(db, service("api", probed, startFirst, needs(spec.ConditionStarted, "db"), limited, arg("new")))
		settle(time.Minute)
		r.phase("api", RolloutHeld, 1)
		r.probes.of("api").say(LivenessFailed, "status 500")
		settle(time.Second)
		r.want("api", Stopping)
		r.do(Act{Verb: Start, Names: []string{"db"}})
		settle(time.Minute)
		if p := r.phase("api", "", 2); p.Started.Command[1] != "new" {
			t.Errorf("runs %v", p.Started.Command)
		}
		r.do(Act{Verb: Stop, Names: []string{"db"}})
		r.begin(db, service("api", probed, startFirst, needs(spec.ConditionStarted, "db"), limited, arg("newer")))
		settle(2 * time.Hour) // max_runtime is over
		r.want("api", Waiting)
	})
}

// Held instances are changed as any others: parallelism at once, and none after one with which the rollout stopped.
func TestHeldInstancesTakeTurns(t *testing.T) {
	for name, c := range map[string]struct {
		bad  bool
		want []string
	}{
		"all of them":               {false, []string{"new", "new", "new"}},
		"until the rollout stopped": {true, []string{"", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := beside(t)
				pause := func(s *spec.Service) { s.Update.FailureAction = spec.FailurePause }
				db, api := service("db"), []func(*spec.Service){probed, startFirst, pause, needs(spec.ConditionStarted, "db")}
				r.apply(append(instances(3, "api", api...), db)...)
				settle(time.Minute)
				r.do(Act{Verb: Stop, Names: []string{"db"}})
				r.begin(append(instances(3, "api", append(api, arg("new"))...), db)...)
				settle(time.Minute)
				for _, id := range []string{"api.1", "api.2", "api.3"} {
					r.phase(id, RolloutHeld, 1)
				}
				if c.bad {
					r.probes.script = func(Watched, func(time.Duration, HealthChange, string)) {} // never ready
				}
				r.do(Act{Verb: Start, Names: []string{"db"}})
				settle(time.Second)
				r.phase("api.1", RolloutStarting, 1)
				for _, id := range []string{"api.2", "api.3"} {
					if p := r.phase(id, RolloutHeld, 1); !strings.Contains(p.Rollout.Reason, "waits for its turn") {
						t.Errorf("%s waits for %q", id, p.Rollout.Reason)
					}
				}
				for range 20 * 60 {
					settle(time.Second)
					beside := 0
					for _, id := range []string{"api.1", "api.2", "api.3"} {
						if p := r.snap(id); p.Rollout != nil && p.Rollout.State == RolloutStarting {
							beside++
						}
					}
					if beside > 1 {
						t.Fatalf("%d are changed at once", beside)
					}
				}
				r.fake.Exit(r.snap("api.2").Run, 1, "") // what follows is what ran
				settle(time.Minute)
				for n, id := range []string{"api.1", "api.2", "api.3"} {
					p := r.snap(id)
					if got := strings.Join(p.Started.Command[1:], " "); got != c.want[n] || p.State != Running {
						t.Errorf("%s is %s with %q, rollout %+v, want %q", id, p.State, got, p.Rollout, c.want[n])
					}
				}
			})
		})
	}
}
