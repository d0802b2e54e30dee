package supervisor

import (
	"fmt"
	"sync/atomic"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/restart"
	"servicehost/spec"
)

// instance owns everything about one instance of a service. All fields but box and snap belong to whoever
// takes its turn, one goroutine at a time.
type instance struct {
	key  Key
	env  *environment
	box  *mailbox
	snap atomic.Pointer[Snapshot]
	log  *logs.Pipeline

	target *target
	seen   struct{ start, recycle, retry, job uint64 } // the wishes already carried out

	state   State
	reason  string
	since   time.Time
	removed bool

	spec        *spec.Service // in force: of the run, or of the next one
	tried       *spec.Service // what the last start was with
	run         *run          // nil: no process
	incarnation uint64
	issued      uint64 // incarnations given out, also to runs beside this one

	main *instance // of which this is only the run beside the current one; nil: this is no such
	side *instance // the run beside the current one; nil: there is none
	next rollout

	restart  restart.State
	restarts int
	lastExit *journal.Exit
	exitAt   time.Time
	nextTry  time.Time // in backoff, failed with retry_after, or waiting for the governor
	booked   bool      // a place of the governor is taken for the coming start
	auto     bool      // the coming start is an automatic restart
	ended    ending    // what the run in stopping ends for
	ladder   ladder
	depFail  bool // failed because a dependency will not come

	good     *spec.Service // the last spec that proved to work
	goodKept bool          // it is on disk
	rejected string        // hash of the spec that was rolled back
	why      string        // why it was rejected
	vetoed   bool          // it was rejected untried: another instance went back from it
	proving  bool          // the run has to prove its spec, or good comes back
	well     wellness      // what the probes said of the run

	backReason string // why the run is ended that a rollback replaces
	stalled    string // why the rollout of its spec stopped with it

	starting *hookWork // pre_start of the coming start
	stopping *hookWork // pre_stop, for which the ladder waits
	leftover *hookWork // post_stop of the former run, for which the next one waits

	plan plan     // of a scheduled service
	runs []JobRun // of one that is no service, oldest first

	looking looking  // for what its spec requires
	signOut *signOut // set for a while after a run on the desktop of a user has ended

	timer *time.Timer
	late  int // turns in a row at whose end the next one was due
}

// run is the current incarnation.
type run struct {
	id      process.RunID
	ident   process.Identity
	spec    *spec.Service
	port    int
	started time.Time
	whole   bool          // up while anything of its tree runs, not just its main process
	exit    *process.Exit // of its main process
	outputs []process.Output
	drained <-chan struct{}
	hits    hits   // of its limits
	ear     Ear    // nil: none
	by      string // who ran it outside of its schedule
	tee     *tee   // nil: it was never beside another one
	// unwanted says why another run is to follow; empty: none is.
	unwanted string
}

// leaving reports whether the run has ended by itself and only the rest of its tree is to go.
func (r *run) leaving() bool { return r.exit != nil && !r.whole }

// ending says why a run is being stopped, which decides what follows.
type ending int

const (
	endTarget     ending = iota // the target decides once it is gone
	endMaxRuntime               // it ran too long
	endLimit                    // it went on over its memory limit
	endExited                   // it has ended by itself; only the rest of its tree is still there
	endUnwell                   // a probe found that it does not work
	endThreshold                // it crossed a threshold whose action is restart
)

func newInstance(k Key, env *environment, t *target) *instance {
	i := &instance{key: k, env: env, target: t, state: Stopped, since: time.Now(), spec: t.spec}
	i.box = newMailbox(i.takeTurns)
	i.log = env.logs.Pipeline(t.spec.ID, t.spec.Log)
	i.restore()
	i.watched()
	i.box.setTarget(t)
	i.publish()
	return i
}

// takeTurns is the goroutine of an instance, which lasts until nothing is left to do for now: a thousand
// services that just run have no stacks.
func (i *instance) takeTurns() {
	for {
		t, events, calls := i.box.take()
		for _, e := range events {
			i.onProcess(e)
		}
		for _, f := range calls {
			f(i)
		}
		i.adopt(t)
		for i.stepSide() || i.step() {
		}
		i.publishSeen()
		if i.removed {
			break
		}
		i.setTimer()
		if i.box.rest() {
			return
		}
	}
	if i.timer != nil {
		i.timer.Stop()
	}
	i.log.Close()
	i.env.gone(i)
}

// setTimer has the next turn taken when the next deadline comes. An instance with nothing ahead has no timer.
func (i *instance) setTimer() {
	d := i.deadline()
	if d.IsZero() {
		if i.timer != nil {
			i.timer.Stop()
		}
		return
	}
	left := time.Until(d)
	if i.late++; left > 0 {
		i.late = 0
	} else if i.late > maxLate {
		left = lateWait
		if i.env.stuck != nil {
			i.env.stuck(i)
		}
	}
	if i.timer == nil {
		i.timer = time.AfterFunc(left, i.box.ring)
	} else {
		i.timer.Reset(left)
	}
}

// What is due and is not done is a mistake in step or in deadline. It shall not cost a processor.
const (
	maxLate  = 10
	lateWait = 100 * time.Millisecond
)

// deadline is the next moment at which step has something to do by itself; zero: none.
func (i *instance) deadline() time.Time {
	var next time.Time
	add := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	switch i.state {
	case Starting, Running:
		if i.run == nil {
			break
		}
		if i.run.leaving() {
			add(i.run.exit.At.Add(lingerAfterExit))
			break
		}
		i.healthDeadline(add)
		add(i.run.hits.due)
		if i.spec.MaxRuntime > 0 {
			add(i.run.started.Add(i.spec.MaxRuntime))
		}
	case Stopping, Killing:
		if i.run == nil {
			break // it waits for the run beside it
		}
		add(i.ladder.next)
		add(i.ladder.quit)
	case Backoff, Waiting, Failed:
		if !i.target.paused && (i.side == nil || i.wantedUp()) {
			add(i.nextTry)
		}
	case Stopped, Exited: // nothing is due
	}
	i.scheduleDeadline(add)
	i.sideDeadline(add)
	if i.signOut != nil {
		add(i.signOut.until.Add(time.Millisecond))
	}
	return next
}

// lingerAfterExit is how long the rest of a tree may take to vanish before the state says so.
const lingerAfterExit = 100 * time.Millisecond

// step does the next thing that is due and reports whether the state changed. It is an explicit
// decision for every state; what comes from outside has been taken in before.
func (i *instance) step() bool {
	now := time.Now()
	if i.run == nil && !i.state.hasProcess() {
		i.use(i.wanted()) // which came while the last run was still there
	}
	up := i.wantedUp()
	start := i.takeWish(&i.seen.start, i.target.start)
	recycle := i.takeWish(&i.seen.recycle, i.target.recycle)
	if i.stepSignOut(now) || i.stepSchedule(now, up) {
		return true
	}
	if !up && i.side != nil && !i.state.hasProcess() {
		return false // it is down when nothing is left of the run beside it either
	}
	switch i.state {
	case Stopped:
		if i.target.remove {
			i.removed = true
			return false
		}
		if up && i.scheduled() {
			return i.stepIdle(now)
		}
		if up {
			i.auto = false // what was due before it was stopped is no restart any more
			if start {
				i.fresh()
			}
			return i.tryStart(now, i.startReason(start))
		}
		if i.reason != i.target.downReason && i.target.downReason != "" {
			i.reason = i.target.downReason
			i.publish()
		}
	case Waiting:
		if !up {
			return i.enter(Stopped, i.target.downReason)
		}
		if i.scheduled() && i.plan.due == "" && !i.auto {
			return i.stepIdle(now)
		}
		if start || recycle {
			i.forgetLook() // and look at once
			if i.auto {    // an operator waits neither in line nor for the end of a pause
				i.giveBack()
				i.fresh()
			}
		}
		return i.tryStart(now, i.startReason(start))
	case Starting, Running:
		if i.run == nil {
			if !up && i.starting != nil {
				return i.giveUpStart()
			}
			return i.launch()
		}
		return i.stepRunning(now, up, recycle)
	case Stopping, Killing:
		return i.climb(now)
	case Backoff:
		if !up {
			return i.enter(Stopped, i.target.downReason)
		}
		if start || recycle || !sameSpec(i.wanted(), i.tried) && i.rejected == "" {
			i.fresh()
			return i.tryStart(now, i.startReason(start || recycle))
		}
		if !i.target.paused && !now.Before(i.nextTry) {
			return i.tryStart(now, "")
		}
	case Exited, Failed:
		return i.stepEnded(now, up, start || recycle)
	default:
		panic("supervisor: unknown state " + string(i.state))
	}
	return false
}

func (i *instance) stepRunning(now time.Time, up, recycle bool) bool {
	if i.run.leaving() { // the rest of the tree is being ended
		if x := i.run.exit; now.Sub(x.At) >= lingerAfterExit {
			return i.beginStop(now, fmt.Sprintf("%s; ending the rest of its tree", exitText(*x)), endExited)
		}
		return false
	}
	if !up {
		return i.beginStop(now, i.target.downReason, endTarget)
	}
	if recycle {
		if i.recycleBeside() {
			return true
		}
		i.fresh()
		if i.scheduled() {
			i.plan.due = "restarted by " + i.target.actor
		}
		return i.beginStop(now, "restart asked for by "+i.target.actor, endTarget)
	}
	if want := i.wanted(); want != i.spec && i.side == nil && !i.scheduled() && i.mustRestart(want) && !i.holdNext(want) { // a job ends as it began
		if i.good == nil {
			i.good = i.spec // it runs: that is better than nothing to go back to
		}
		if err := preflight(i.env, want); err != nil {
			i.reject(want, fmt.Sprintf("cannot start service %q: %s", want.ID, withHint(err)))
			return false
		}
		switch unmet, known := i.lookAhead(now, want); {
		case unmet != "":
			i.reject(want, fmt.Sprintf("cannot start service %q, it requires: %s", want.ID, unmet))
			return false
		case known:
			reason := "its spec changed"
			if otherBinary(i.run.spec, want) {
				reason = binaryChange(i.run.spec, want)
			}
			if i.startsFirst(want) {
				return i.beginNext(want, reason)
			}
			i.fresh()
			return i.beginStop(now, reason, endTarget)
		} // else the run goes on as it is until that is known
	}
	if i.overLimit(now) {
		return i.beginStop(now, limitText(i.run.spec.Limits, "memory")+" reached", endLimit)
	}
	if i.stepHealth(now) || i.stepThreshold(now) {
		return true
	}
	if m := i.spec.MaxRuntime; m > 0 && now.Sub(i.run.started) >= m {
		return i.beginStop(now, "it ran for max_runtime, "+text(m), endMaxRuntime)
	}
	return false
}

func (i *instance) stepEnded(now time.Time, up, start bool) bool {
	if !up {
		return i.enter(Stopped, i.target.downReason)
	}
	if i.scheduled() {
		return i.stepIdle(now)
	}
	if start || !sameSpec(i.wanted(), i.tried) {
		i.fresh()
		return i.tryStart(now, i.startReason(start))
	}
	if i.state == Failed {
		if i.depFail && !i.target.gate.failed {
			return i.tryStart(now, "what it depends on came back")
		}
		if !i.nextTry.IsZero() && !i.target.paused && !now.Before(i.nextTry) {
			i.auto = true
			return i.tryStart(now, "tried again after retry_after")
		}
	}
	return false
}
