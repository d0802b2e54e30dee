package supervisor

import (
	"servicehost/host/journal"
	"servicehost/spec"
)

// proved takes the running spec for one that works: it is what a later, bad one goes back to.
func (i *instance) proved() {
	i.proving = false
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
	if i.target.spec.Hash != failed.Hash {
		return false // a newer spec is wanted by now
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
	i.reject(failed, why)
	i.fresh()
	return true
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
