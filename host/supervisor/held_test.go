package supervisor

import (
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
