package supervisor

import (
	"fmt"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// nextGrace is how long a run without probes has to stay up beside the current one before it takes over.
const nextGrace = time.Second

// Rollout is how far the change from one run of an instance to another has come.
type Rollout struct {
	State  string    `json:"state"`
	PID    int       `json:"pid,omitempty"` // of the run beside the current one; 0: none yet
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
}

// The values of Rollout.State.
const (
	RolloutStarting   = "starting_next" // the next run is not ready yet, the current one goes on
	RolloutSwitching  = "switching"     // the next run took over, the former one is on its stop ladder
	RolloutMonitoring = "monitoring"    // it has to stay ready for update.monitor
	RolloutEnding     = "ending_next"   // the next run is of no use and is being ended
	RolloutHeld       = "held"          // the next run waits for what the service depends on, or for its turn after that
)

// rollout is what an instance knows of the run beside its current one.
type rollout struct {
	since     time.Time
	back      bool          // it is a rollback
	former    bool          // of a side: it was the current run
	again     string        // a restart that was asked for while a run was still being ended, and why
	failed    string        // why the last one came to nothing
	stalled   string        // hash of the spec with which the rollout stopped, the former run going on
	stopFirst *spec.Service // goes on with this spec although its run beside the current one ended
}

// pending reports whether a run beside the current one may still take its place.
func (i *instance) pending() bool { return i.state == Starting || i.state == Running }

// startsFirst reports whether want is started beside the current run.
func (i *instance) startsFirst(want *spec.Service) bool {
	if i.next.stopFirst == want || i.state != Running || i.run == nil || i.run.leaving() {
		return false
	}
	return mayOverlap(i.spec, want)
}

// OrderOf returns the order in which a run of the spec next takes the place of one of former: what the spec says,
// unless the two could not be there at once.
func OrderOf(former, next *spec.Service) spec.UpdateOrder {
	if mayOverlap(former, next) {
		return spec.StartFirst
	}
	return spec.StopFirst
}

// mayOverlap reports whether want may be started while a run of former is still there.
func mayOverlap(former, want *spec.Service) bool {
	if want.Update.Order != spec.StartFirst || want.Type != spec.TypeService || onDesktop(want) || onDesktop(former) {
		return false
	}
	return want.Port <= 0 || want.Port != former.Port || want.Update.SharedPort && former.Update.SharedPort
}

// holdNext reports whether a run beside the current one has to wait for what the service depends on.
func (i *instance) holdNext(want *spec.Service) bool {
	return !i.target.gate.open && i.startsFirst(want)
}

// recycleBeside takes a wish to restart, where that is done by a run beside the current one.
func (i *instance) recycleBeside() bool {
	want := i.wanted()
	if i.scheduled() || !i.startsFirst(want) {
		return false
	}
	reason := "restart asked for by " + i.target.actor
	switch {
	case i.side == nil:
		i.beginNext(want, reason)
	case !i.side.pending():
		i.next.again = reason
	}
	return true // else a run that takes its place is on its way
}

// beginNext starts a run beside the current one, to take its place when it is ready.
func (i *instance) beginNext(want *spec.Service, reason string) bool {
	if i.good == nil {
		i.good = i.spec // it runs: that is better than nothing to go back to
	}
	if sameSpec(i.good, i.spec) {
		i.proving = false
	}
	i.side = &instance{
		key: i.key, env: i.env, box: i.box, log: i.log, main: i, target: i.target,
		state: Starting, since: time.Now(), spec: want, incarnation: i.incarnation, good: i.good,
		reason: reason,
	}
	i.next.since, i.next.failed, i.next.again, i.next.stopFirst = time.Now(), "", "", nil
	e := i.event(journal.Rollout, "starting the next process beside the current one: "+reason)
	e.PID = i.run.ident.PID
	i.env.tell(e)
	i.publish()
	return true
}

// stepSide does the next thing that is due for the run beside the current one.
func (i *instance) stepSide() bool {
	s, now := i.side, time.Now()
	if s == nil {
		if why := i.next.again; why != "" && i.state == Running {
			i.next.again = ""
			switch want := i.wanted(); {
			case !i.wantedUp() || i.run == nil || i.run.leaving():
			case i.startsFirst(want):
				return i.beginNext(want, why)
			default:
				i.fresh()
				return i.beginStop(now, why, endTarget)
			}
		}
		return false
	}
	if !s.pending() {
		if s.run == nil && s.leftover == nil && (s.starting == nil || s.starting.over) {
			i.dropSide()
			return true
		}
		return s.climb(now)
	}
	if !i.wantedUp() {
		return i.endNext(now, i.target.downReason)
	}
	if want := i.wanted(); want != s.spec {
		if s.run == nil && needsRestart(s.spec, want) || s.run != nil && s.mustRestart(want) {
			return i.endNext(now, "a newer edit took its place")
		}
		if s.run == nil && i.run != nil && !mayOverlap(i.spec, want) {
			if !i.mustRestart(want) { // an operator, or a dependency, asked for it
				i.next.again = s.reason
			}
			return i.endNext(now, "by now the current process is to be stopped first")
		}
		s.tellChange(s.spec, want)
		s.spec = want
		s.applyHealth()
		s.learn(want)
	}
	if s.run == nil {
		return s.beforeStart() && i.launchNext(now)
	}
	if why := s.unfit(now); why != "" {
		end := endTarget
		if s.run.leaving() {
			end = endExited
		}
		if i.nextFailed(now, why) {
			s.beginStop(now, why, end)
		}
		return true
	}
	if i.state == Running && !i.run.leaving() && s.fit(now) {
		return i.switchOver(now)
	}
	return false
}

// launchNext starts the process of the run beside the current one, behind its pre_start hooks.
func (i *instance) launchNext(now time.Time) bool {
	s := i.side
	if w := s.starting; w != nil {
		if s.starting = nil; w.err != nil {
			i.env.tell(s.event(journal.StartFailed, w.err.Error()))
			i.nextFailed(now, w.err.Error())
			i.dropSide()
			return true
		}
	}
	want := s.spec
	r := s.newRun(want)
	s.tried = want
	if !sameSpec(i.good, want) {
		i.keepGood(i.good)
	}
	if err := s.begin(r); err != nil {
		why := fmt.Sprintf("cannot start service %q: %s", want.ID, withHint(err))
		i.env.tell(s.event(journal.StartFailed, why))
		i.nextFailed(now, why)
		i.dropSide()
		return true
	}
	s.run = r
	r.tee = &tee{}
	s.attach(want.Log.Stderr != "")
	s.beginHealth()
	if i.run != nil {
		i.tellRollout(fmt.Sprintf("process %d was started beside process %d", r.ident.PID, i.run.ident.PID))
	}
	if s.well.started {
		s.enter(Running, "")
	}
	s.hook("post_start", want.Hooks.PostStart, s.told)
	i.publish()
	return true
}

func (i *instance) tellRollout(reason string) {
	s := i.side
	e := s.event(journal.Rollout, reason)
	if s.run != nil {
		e.PID = s.run.ident.PID
	}
	i.env.tell(e)
}

// fit reports whether a run beside the current one can take its place.
func (i *instance) fit(now time.Time) bool {
	return i.well.ready && !now.Before(i.fitFrom())
}

// fitFrom is when a run can take over at the earliest: one that nobody asks has to stay up for a moment.
func (i *instance) fitFrom() time.Time {
	if h := i.well.asked; i.well.watch != nil && (h.Startup != nil || h.Readiness != nil) {
		return i.run.started
	}
	return i.run.started.Add(nextGrace)
}

// unfit says why a run beside the current one will not take its place; "": it may.
func (i *instance) unfit(now time.Time) string {
	u := i.spec.Update
	switch {
	case i.run.leaving():
		return "it ended: " + exitText(*i.run.exit) + " after " + text(i.run.exit.At.Sub(i.run.started))
	case i.well.lost != "" && !i.target.paused:
		return i.well.lost
	case i.overLimit(now):
		return limitText(i.run.spec.Limits, "memory") + " reached"
	case !i.well.ever && u.Timeout > 0 && !now.Before(i.readyBy()):
		return "not ready within update.timeout, " + text(u.Timeout) + because(i.well.why)
	}
	return ""
}

// sideDeadline adds the moments at which stepSide has something to do by itself.
func (i *instance) sideDeadline(add func(time.Time)) {
	s := i.side
	switch {
	case s == nil || s.run == nil:
	case !s.pending():
		add(s.ladder.next)
		add(s.ladder.quit)
	default:
		add(s.run.hits.due)
		if u := s.spec.Update; !s.well.ever && u.Timeout > 0 {
			add(s.readyBy())
		}
		if i.state == Running && !i.run.leaving() && s.well.ready {
			add(s.fitFrom())
		}
	}
}

// adoptSide hands a target on.
func (i *instance) adoptSide(t *target) {
	s := i.side
	if s == nil {
		return
	}
	if w := s.well.watch; w != nil && t.paused != s.target.paused {
		w.Pause(t.paused)
	}
	s.target = t
}

// holder returns whose run r is; nil: it is over.
func (i *instance) holder(r *run) *instance {
	switch {
	case i.run == r:
		return i
	case i.side != nil && i.side.run == r:
		return i.side
	}
	return nil
}

// rollout is what status shows.
func (i *instance) rollout() *Rollout {
	r := &Rollout{Since: i.next.since}
	s := i.side
	if s != nil && s.run != nil {
		r.PID = s.run.ident.PID
	}
	switch {
	case s != nil && s.pending():
		r.State, r.Reason = RolloutStarting, s.well.why
	case s != nil && s.next.former:
		r.State, r.Reason = RolloutSwitching, s.reason
	case s != nil:
		r.State, r.Reason = RolloutEnding, s.reason
	case i.run != nil && i.proving && i.good != nil && i.spec.Update.Order == spec.StartFirst:
		r.State, r.Since = RolloutMonitoring, i.well.since
	case i.run != nil && i.wanted() != i.spec && i.holdNext(i.wanted()) && i.mustRestart(i.wanted()):
		r.State, r.Since, r.Reason = RolloutHeld, i.since, i.target.gate.reason
	default:
		return nil
	}
	return r
}
