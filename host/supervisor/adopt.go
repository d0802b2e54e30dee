package supervisor

import "servicehost/spec"

// adopt takes a target over. What a running process can't take is left to step.
func (i *instance) adopt(t *target) {
	if t == i.target {
		return
	}
	if w := i.well.watch; w != nil && t.paused != i.target.paused {
		w.Pause(t.paused)
	}
	former := i.target.spec
	i.adoptSide(t)
	i.target = t
	if t.retry != i.seen.retry {
		i.seen.retry = t.retry
		i.rejected, i.why, i.vetoed, i.stalled, i.next.stalled = "", "", false, "", ""
	}
	if t.spec != former {
		i.stalled, i.next.stalled = "", ""
	}
	if i.rejected != "" && t.spec.Hash != i.rejected && !unread(t.spec) {
		i.rejected, i.why, i.vetoed = "", "", false
	}
	if t.veto != "" {
		i.veto(t)
	}
	want := i.wanted()
	switch {
	case i.run == nil:
		if i.spec.Hash != want.Hash && !unread(i.spec) {
			i.restart.Reset()
			i.restarts = 0
		}
		i.use(want)
	case want != i.spec && !i.mustRestart(want):
		i.tellChange(i.spec, want)
		i.use(want)
		i.learn(want)
		i.tried = want
		if !i.proving && i.good != nil {
			i.good = want
		}
	}
}

// wanted is the spec to run: the target's, or the last good one where that was rolled back. A run that
// has still to prove itself is not ended for an edit that could not be started.
func (i *instance) wanted() *spec.Service {
	if i.main != nil {
		return i.spec
	}
	if i.rejected != "" && i.rejected == i.target.spec.Hash && i.good != nil {
		if i.run != nil && i.proving {
			return i.spec
		}
		return i.good
	}
	if i.next.stalled != "" && i.next.stalled == i.target.spec.Hash && i.good != nil {
		return i.good
	}
	return i.target.spec
}

// use puts a spec in force, with what of it is live.
func (i *instance) use(s *spec.Service) {
	if i.spec == s {
		return
	}
	i.spec = s
	i.log.Apply(s.ID, s.Log)
	i.watched()
	i.applyHealth()
}

// wantedUp reports whether it is to run. Nothing is once everything is to end at once, also what waits for
// others to stop before it.
func (i *instance) wantedUp() bool {
	return i.target.up && !i.target.remove && i.env.forced.Err() == nil
}

func (i *instance) takeWish(seen *uint64, want uint64) bool {
	risen := *seen != want
	*seen = want
	return risen
}

// sameSpec reports whether two specs ask for the same thing.
func sameSpec(a, b *spec.Service) bool {
	return a == b || a != nil && b != nil && a.Hash == b.Hash
}
