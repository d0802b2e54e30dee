package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process/processtest"
)

// atRestBefore looks, whenever the event comes that match says, whether what was published until then tells others
// that the instance is where it is to be.
func (r *rig) atRestBefore(k Key, match func(journal.Event) bool) *int {
	seen := new(int)
	r.onEvent = func(e journal.Event) {
		if i := r.sup.instance(k); i != nil && match(e) {
			*seen++
			if p := i.snap.Load(); !p.busy(i.target) {
				r.t.Errorf("before %q (%s to %s) it was published as %s (%s), as if nothing followed", e.Kind, e.From, e.To, p.State, p.Reason)
			}
		}
	}
	return seen
}

func TestStartBehindPostStopHooksIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newErrands(func(kind string) processtest.Behavior {
			if kind == "run" {
				return processtest.Behavior{}
			}
			return processtest.Behavior{ExitAfter: 5 * time.Second}
		})
		r := newRig(t, e.Fake, nil)
		seen := r.atRestBefore(Key{"api", 1}, func(e journal.Event) bool { return e.From == string(Waiting) && e.To == string(Starting) })
		r.apply(service("api", allHooks))
		settle(time.Minute)
		r.do(Act{Verb: Restart, Names: []string{"api"}})
		settle(time.Minute)
		if *seen != 1 {
			t.Errorf("%d starts that had to wait, want 1", *seen)
		}
	})
}

func TestRestartBehindTheEndOfANextRunIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		seen := r.atRestBefore(Key{"api", 1}, func(e journal.Event) bool {
			if e.Kind == journal.Rollout && e.Reason == "starting the next process beside the current one: restart asked for by tester" {
				return true
			}
			return false
		})
		r.apply(service("api", probed, startFirst))
		settle(time.Minute)
		r.begin(service("api", probed, startFirst, arg("new")))
		settle(time.Second)
		r.phase("api", RolloutStarting, 1)
		r.begin(service("api", probed, startFirst))
		settle(time.Second)
		r.phase("api", RolloutEnding, 1)
		r.do(Act{Verb: Restart, Names: []string{"api"}})
		settle(time.Minute)
		if r.phase("api", "", 3); *seen != 1 {
			t.Errorf("%d restarts, want 1", *seen)
		}
	})
}
