package supervisor

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"servicehost/spec"
)

// reconcile hands every instance the target that the wanted spec, the wishes and the order of things
// ask for now. It changes nothing where nothing is to be changed, so it may run at any time.
func (s *Supervisor) reconcile() {
	s.flux = false
	for _, l := range slices.Clone(s.order) {
		s.retarget(l)
	}
}

// retarget hands one instance its target, or notes that something is held back.
func (s *Supervisor) retarget(l *slot) {
	if l.inst == nil {
		if l.wanted == nil || s.stopping {
			return
		}
		if s.removing() {
			s.flux = true // what is removed stops before anything new starts
			return
		}
		t := &target{spec: l.wanted, generation: s.generation}
		s.fill(l, t)
		s.create(l, t)
		return
	}
	t := *l.target
	switch {
	case l.wanted == nil || s.stopping:
		if !s.dependentsDown(l) {
			s.flux = true
			return
		}
		t.remove, t.up, t.downBy, t.downReason = true, false, "spec", "removed from the spec"
		if s.stopping {
			t.downReason = "the host is stopping"
		}
	default:
		t.remove = false
		if l.wanted != t.spec && s.stalledBy(l) == nil {
			if t.veto = s.vetoOf(l); t.veto == "" && s.held(l) {
				s.flux = true
			} else {
				t.spec = l.wanted
			}
		}
		if l.wanted == t.spec {
			if t.veto = s.vetoOf(l); s.heldNext(l) && s.stalledBy(l) != nil {
				t.spec = l.inst.snap.Load().Spec // as those that were not handed theirs by then
			}
		}
		s.fill(l, &t)
		s.follow(l, &t)
	}
	if t == *l.target {
		return
	}
	s.hand(l, t)
}

// hand gives an instance a changed target.
func (s *Supervisor) hand(l *slot, t target) {
	t.generation, t.seq = s.generation, t.seq+1
	l.target = &t
	l.inst.box.setTarget(&t)
}

// fill sets what follows from the spec and the wishes.
func (s *Supervisor) fill(l *slot, t *target) {
	up := t.spec.Enabled && l.wanted.Enabled && (l.wish == nil || !l.wish.Down) // the latter may be held back for now
	if !up && t.up && !s.dependentsDown(l) {
		s.flux = true
		up = true
	}
	t.up, t.paused = up, s.paused
	t.downBy, t.downReason, t.until = "", "", l.until()
	switch {
	case up:
	case l.wish != nil && l.wish.Down:
		t.downBy, t.downReason = "operator", "stopped by "+l.wish.By
	default:
		t.downBy, t.downReason = "spec", "disabled in the spec"
	}
	if t.gate = s.gateOf(l); t.gate.open && t.spec == l.wanted {
		t.gate = s.turnOf(l)
	}
	if unread(t.spec) && t.gate.open {
		t.gate = readingGate(t.spec)
	}
}

// removing reports whether an instance that the spec no longer names is still there.
func (s *Supervisor) removing() bool {
	return slices.ContainsFunc(s.order, func(l *slot) bool { return l.wanted == nil && l.inst != nil })
}

// goingDown reports whether the instance is meant to be down.
func (s *Supervisor) goingDown(l *slot) bool {
	return s.stopping || l.wanted == nil || !l.wanted.Enabled || l.wish != nil && l.wish.Down
}

// dependentsDown reports whether all that depend on l, directly or not, and are going down too are
// down: what is needed stops last.
func (s *Supervisor) dependentsDown(l *slot) bool {
	for _, d := range s.dependents[l.key.Service] {
		if !s.goingDown(d) {
			continue
		}
		if d.inst != nil {
			if snap := d.inst.snap.Load(); snap.State.hasProcess() || snap.busy(d.target) {
				return false
			}
		}
		if !s.dependentsDown(d) {
			return false
		}
	}
	return true
}

// siblings yields how the other instances stand that the same edit changed and that have taken it in.
func (s *Supervisor) siblings(l *slot) iter.Seq[*Snapshot] {
	return func(yield func(*Snapshot) bool) {
		for _, d := range s.services[l.key.Service] {
			if d == l || d.edit != l.edit || d.inst == nil || d.target.spec != d.wanted {
				continue
			}
			if p := d.inst.snap.Load(); p.seq == d.target.seq && !yield(p) {
				return
			}
		}
	}
}

// vetoOf says why the spec of l is not to be tried: another instance went back from it. During a rollout
// the first failure decides.
func (s *Supervisor) vetoOf(l *slot) string {
	for p := range s.siblings(l) {
		if p.SpecState == SpecRolledBack && !p.Vetoed {
			return fmt.Sprintf("as %q went back from it: %s", p.ID, p.RejectWhy)
		}
	}
	return ""
}

// stalledBy returns the instance with which the rollout that changes l stopped; nil: it goes on.
func (s *Supervisor) stalledBy(l *slot) *Snapshot {
	for p := range s.siblings(l) {
		if p.Stalled != "" {
			return p
		}
	}
	return nil
}

// follow has l restarted when a run that it depends on, and is to be restarted with, was replaced by another.
func (s *Supervisor) follow(l *slot, t *target) {
	own := l.inst.snap.Load()
	for name, d := range l.wanted.DependsOn {
		if !d.Restart {
			continue
		}
		for _, on := range s.services[name] {
			if on.wanted == nil || on.inst == nil {
				continue
			}
			p := on.inst.snap.Load()
			if reason, _ := unmet(on, d.Condition); reason != "" || p.Run.Incarnation == 0 || p.Spec.Type == spec.TypeScheduled {
				continue // the next run of a job is no restart: one may be in force again after a rollback of its type
			}
			if l.runs == nil {
				l.runs = map[Key]uint64{}
			}
			seen := l.runs[on.key]
			l.runs[on.key] = p.Run.Incarnation
			if seen != 0 && seen != p.Run.Incarnation && t.up && own.State.hasProcess() && own.StartedAt.Before(p.StartedAt) {
				t.recycle++
				t.actor = fmt.Sprintf("its dependency %q, which was restarted", p.ID)
			}
		}
	}
}

// gateOf says whether what l depends on has reached the condition asked for.
func (s *Supervisor) gateOf(l *slot) gate {
	var waits, failed []string
	for name, d := range l.wanted.DependsOn {
		for _, on := range s.services[name] {
			if on.wanted == nil {
				continue
			}
			reason, forGood := unmet(on, d.Condition)
			switch {
			case reason == "":
			case !d.Required && (forGood || s.goingDown(on)):
			case forGood:
				failed = append(failed, reason)
			default:
				waits = append(waits, reason)
			}
		}
	}
	slices.Sort(waits)
	slices.Sort(failed)
	switch {
	case len(failed) > 0:
		return gate{failed: true, reason: strings.Join(failed, "; ")}
	case len(waits) > 0:
		return gate{reason: strings.Join(waits, "; ")}
	}
	return gate{open: true}
}

// unmet says why the condition does not hold, "" if it does, and whether it never will by itself.
func unmet(on *slot, c spec.Condition) (reason string, forGood bool) {
	if on.inst == nil {
		return fmt.Sprintf("waits for %q to be created", on.wanted.ID), false
	}
	p := on.inst.snap.Load()
	if p.Meets(c) {
		return "", false
	}
	done := p.State == Exited
	word := "start"
	switch c {
	case spec.ConditionCompleted:
		word = "complete"
	case spec.ConditionHealthy:
		word = "become healthy"
	case spec.ConditionStarted:
	}
	switch {
	case p.ForGood:
		return fmt.Sprintf("its dependency %q failed: %s", p.ID, p.Reason), true
	case p.State == Failed && !p.NextTry.IsZero(), p.State == Backoff:
		return fmt.Sprintf("waits for %q to %s, which is in state %s: %s", p.ID, word, p.State, p.Reason), false
	case !p.Up:
		return fmt.Sprintf("waits for %q to %s, which is %s", p.ID, word, p.DownReason), false
	case c != spec.ConditionCompleted && done:
		return fmt.Sprintf("waits for %q to %s, which has ended", p.ID, word), false
	case c == spec.ConditionHealthy && p.HealthReason != "":
		return fmt.Sprintf("waits for %q to become healthy: %s", p.ID, p.HealthReason), false
	}
	return fmt.Sprintf("waits for %q to %s", p.ID, word), false
}

func (l *slot) until() (t time.Time) {
	if l.wish != nil {
		return l.wish.Until
	}
	return t
}
