package supervisor

import (
	"strconv"
	"strings"
)

// held reports whether a changed spec has to wait for its turn: for removals, for what it depends on,
// and for the instances of its service before it.
func (s *Supervisor) held(l *slot) bool {
	if s.removing() || unread(l.wanted) {
		return true
	}
	if !needsRestart(l.inst.snap.Load().Spec, l.wanted) {
		return false
	}
	for name := range l.wanted.DependsOn {
		for _, d := range s.services[name] {
			if d.wanted != nil && (d.inst == nil || d.target.spec != d.wanted && s.stalledBy(d) == nil || d.inst.snap.Load().busy(d.target)) {
				return true
			}
		}
	}
	changing := 0
	for _, d := range s.services[l.key.Service] {
		if d.key.Instance >= l.key.Instance {
			break
		}
		if d.wanted == nil || d.inst == nil {
			continue
		}
		if d.target.spec != d.wanted || d.inst.snap.Load().busy(d.target) {
			changing++
		}
	}
	return changing >= max(1, l.wanted.Update.Parallelism)
}

// turnOf says whether the turn has come of an instance that was handed its new spec and could not be changed until now,
// when what its service depends on is there again. Others are handed their specs one by one, see held.
func (s *Supervisor) turnOf(l *slot) gate {
	if !s.heldNext(l) {
		return gate{open: true}
	}
	var ahead []string
	for _, d := range s.services[l.key.Service] {
		if d.key.Instance >= l.key.Instance {
			break
		}
		if d.wanted != nil && d.inst != nil && d.target.spec == d.wanted && (d.inst.snap.Load().busy(d.target) || d.target.gate.open && s.heldNext(d)) {
			ahead = append(ahead, strconv.Quote(d.wanted.ID))
		}
	}
	if len(ahead) < max(1, l.wanted.Update.Parallelism) {
		return gate{open: true}
	}
	return gate{turn: true, reason: "waits for its turn behind " + strings.Join(ahead, ", ")}
}

// heldNext reports whether the next run of l is to be started beside the current one and is not yet.
func (s *Supervisor) heldNext(l *slot) bool {
	if l.inst == nil {
		return false
	}
	p := l.inst.snap.Load()
	return p.State == Running && (p.Rollout == nil || p.Rollout.State == RolloutHeld) && p.SpecState == SpecPending &&
		mayOverlap(p.Spec, l.wanted) && needsRestart(p.Spec, l.wanted)
}
