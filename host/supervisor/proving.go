package supervisor

import (
	"servicehost/host/journal"
	"servicehost/spec"
)

// proved takes the running spec for one that works: it is what a later, bad one goes back to.
func (i *instance) proved() {
	i.proving, i.stalled = false, ""
	i.good = i.spec
	i.keepGood(nil)
	if i.snap.Load().Proving { // a first start shows nothing of it
		i.publish()
	}
}

// rollBack turns to the spec that last worked, if the failed one had to prove itself and is still
// wanted. The rejected one is remembered by its hash and not tried again until it changes.
func (i *instance) rollBack(failed *spec.Service, why string) bool {
	if !i.proving || i.good == nil || sameSpec(i.good, failed) {
		return false
	}
	i.proving = false
	newer := i.target.spec.Hash != failed.Hash
	if newer && i.rejected != i.target.spec.Hash {
		return false // it is wanted by now, and not known to be no good
	}
	switch failed.Update.FailureAction {
	case spec.FailureContinue:
		i.env.tell(i.event(journal.Warning, "update.failure_action is continue, it goes on with its new spec: "+why))
		i.good = failed
		i.keepGood(nil)
		return false
	case spec.FailurePause:
		i.stalled = why
		i.env.tell(i.event(journal.Warning, "update.failure_action is pause, the rollout stops with it: "+why))
		i.publish()
		return false
	case spec.FailureRollback: // below
	}
	back, stays := i.restorable(failed)
	if back == nil {
		i.env.tell(i.event(journal.Warning, "cannot go back: "+stays+"; it goes on by its restart policy: "+why))
		i.good = failed
		i.keepGood(nil)
		return false
	}
	if i.good = back; stays != "" {
		why += "; what can't be undone: " + stays
	}
	if newer {
		i.env.tell(i.event(journal.Warning, "the spec before the rejected one did not prove itself either: "+why))
	} else {
		i.reject(failed, why)
	}
	i.fresh()
	return true
}

// unproven tries to go back from the run, and reports whether it is to be ended for that.
func (i *instance) unproven(why string) bool {
	news, back := i.news(i.spec)
	if !i.rollBack(i.spec, news+why) {
		return false
	}
	i.backReason = back + why
	return true
}

// veto rejects the spec of the target without a try, or before its proof is done: another instance of the
// service did not work with it.
func (i *instance) veto(t *target) {
	if i.good == nil && i.run != nil && !sameSpec(i.run.spec, t.spec) {
		i.good = i.spec
	}
	if i.rejected == t.spec.Hash || i.good == nil || sameSpec(i.good, t.spec) {
		return
	}
	i.proving, i.vetoed = false, true
	i.reject(t.spec, t.veto)
}

func (i *instance) reject(s *spec.Service, why string) {
	i.rejected, i.why = s.Hash, why
	i.keep()
	e := i.event(journal.RolledBack, why)
	e.Details = map[string]string{"rejected": short(s.Hash), "in_force": short(i.wanted().Hash)}
	i.env.tell(e)
	i.publish()
}

func short(hash string) string { return hash[:min(12, len(hash))] }
