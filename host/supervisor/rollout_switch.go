package supervisor

import (
	"fmt"
	"slices"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// switchOver makes the run beside the current one the current one, and puts the former on its stop ladder.
func (i *instance) switchOver(now time.Time) bool {
	s, former := i.side, i.run.ident.PID
	e := s.event(journal.Rollout, fmt.Sprintf("process %d takes over from process %d, which is stopped now", s.run.ident.PID, former))
	e.PID, e.Details = s.run.ident.PID, map[string]string{journal.DetailCause: journal.CauseAsked}
	if needsRestart(i.spec, s.spec) {
		e.Details[journal.DetailCause] = journal.CauseChange
	}
	i.env.tell(e)
	reason := fmt.Sprintf("process %d took its place", s.run.ident.PID)
	i.takeSide()
	s.next.former = true
	i.since, i.reason, i.next.since = now, "", now
	s.beginStop(now, reason, endTarget)
	i.keep()
	i.publish()
	return true
}

// takeSide exchanges the current run and the one beside it.
func (i *instance) takeSide() {
	s := i.side
	if i.well.tapped != nil {
		i.log.Tap(nil)
		i.well.tapped = nil
	}
	i.run, s.run = s.run, i.run
	i.spec, s.spec = s.spec, i.spec
	i.well, s.well = s.well, i.well
	i.tried = s.tried
	i.incarnation, s.incarnation = s.incarnation, i.incarnation
	i.proving = !sameSpec(i.good, i.spec) // by now: the former run may have proved its own meanwhile
	if i.proving {
		i.stalled = ""
	}
	i.run.tee.set(nil)
	i.log.Apply(i.spec.ID, i.spec.Log)
	i.watched()
	i.fresh()
	i.next = rollout{again: i.next.again, since: i.next.since}
	i.tap()
}

// takeOver has the run beside a run that ended by itself take its place, ready or not: it would be started
// anyway. What it still has to prove it proves then. It reports whether there was one.
func (i *instance) takeOver() bool {
	s := i.side
	if s == nil || !s.pending() || !i.wantedUp() {
		return false
	}
	if s.run == nil || s.run.leaving() {
		i.endNext(time.Now(), "the current process ended before it was started")
		return false
	}
	reason := fmt.Sprintf("%s: process %d beside it takes over", i.lastExit.Text, s.run.ident.PID)
	i.tellRollout(reason)
	i.enter(Backoff, reason)
	i.enter(Starting, reason)
	i.takeSide()
	i.side = nil
	if i.well.started {
		return i.enter(Running, "")
	}
	i.reason = "waits for its startup probe"
	i.publish()
	return true
}

// endNext ends a run beside the current one that is wanted no more.
func (i *instance) endNext(now time.Time, reason string) bool {
	s := i.side
	i.next.back = false
	i.tellRollout("the next process is given up: " + reason)
	if s.run == nil {
		if s.starting != nil {
			s.starting.cancel()
		}
		s.enter(Stopping, reason)
		return true
	}
	return s.beginStop(now, reason, endTarget)
}

// nextFailed decides what follows from a run beside the current one that is of no use, and reports whether it
// is to be ended.
func (i *instance) nextFailed(now time.Time, why string) (end bool) {
	s := i.side
	i.next.failed = why
	switch {
	case i.next.back:
		i.next.back = false
		i.env.tell(i.event(journal.Warning, "what worked before did not come up beside it ("+why+"), so the current process is ended first"))
		if i.state == Running {
			i.beginStop(now, i.backReason, endTarget)
		}
	case sameSpec(s.spec, i.good) || sameSpec(s.spec, i.spec): // a restart
		i.reason = "the next process did not come up, this one goes on: " + why
		i.env.tell(i.event(journal.Warning, i.reason))
	case i.target.spec.Hash != s.spec.Hash: // a newer spec is wanted by now
	default:
		return i.rejectNext(now, why)
	}
	i.publish()
	return true
}

// rejectNext does what update.failure_action says where the current run still goes on.
func (i *instance) rejectNext(now time.Time, why string) (end bool) {
	s := i.side
	news, _ := i.news(s.spec)
	why = news + why
	switch s.spec.Update.FailureAction {
	case spec.FailureContinue:
		i.env.tell(i.event(journal.Warning, "update.failure_action is continue, it goes on with its new spec: "+why))
		i.good = s.spec
		i.keepGood(nil)
		if s.run != nil && s.run.exit == nil && i.state == Running {
			i.switchOver(now)
			return false
		}
		i.next.stopFirst = s.spec
	case spec.FailurePause:
		i.stalled, i.next.stalled = why, s.spec.Hash
		i.env.tell(i.event(journal.Warning, "update.failure_action is pause, the rollout stops with it, the former process goes on: "+why))
	case spec.FailureRollback:
		if _, stays := i.restorable(s.spec); stays != "" {
			why += "; what can't be undone: " + stays
		}
		i.reject(s.spec, why)
	}
	i.publish()
	return true
}

// goBack replaces a run that went back from its spec by one of the spec that worked.
func (i *instance) goBack(now time.Time) bool {
	want := i.wanted()
	if i.side == nil && i.startsFirst(want) && i.target.gate.open && preflight(i.env, want) == nil {
		i.well.overdue = true
		i.next.back = true
		return i.beginNext(want, i.backReason)
	}
	return i.beginStop(now, i.backReason, endTarget)
}

// afterSide takes in that nothing is left of the run beside the current one.
func (i *instance) afterSide() {
	s := i.side
	r, coming := s.run, s.pending()
	s.endHealth()
	why := ""
	if coming {
		why = "it ended: " + exitText(*r.exit) + " after " + text(r.exit.At.Sub(r.started))
		i.nextFailed(time.Now(), why)
		s.enter(Stopping, why)
	}
	s.run = nil
	i.finish(r)
	at := r.exit.At
	if r.whole {
		at = time.Now()
	}
	uptime := at.Sub(r.started)
	s.lastExit = exitRecord(*r.exit, exitText(*r.exit), uptime)
	if s.next.former {
		i.lastExit, i.exitAt = s.lastExit, at
	}
	s.afterRunHooks()
	success := !coming || slices.Contains(s.spec.SuccessExitCodes, r.exit.Code) && r.exit.Signal == ""
	var words []string
	if !success {
		words = i.log.Tail(keptLines)
	}
	i.env.tell(s.exited(r, success, words))
}

// dropSide forgets a run beside the current one of which nothing is left.
func (i *instance) dropSide() {
	i.side = nil // published at the end of the turn, with what waited for it
	if (i.state == Stopping || i.state == Killing) && i.run == nil {
		i.afterStop()
	}
}
