package supervisor

import (
	"fmt"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/spec"
)

// ladder is how far a stop has come.
type ladder struct {
	step int       // the next one
	next time.Time // when it is due
	quit time.Time // when the windows of a close step have had their time, and its threads are told to quit
	end  time.Time // when force is used
	done int       // the steps so far that are not known to have failed
	// unanswered is told when the run outlives the step before: a request may be answered by the end of who was asked.
	unanswered *journal.Event
}

// answerGrace is how long a run may take to end after it hung up on a step, before that counts as failed.
const answerGrace = time.Second

// killAgain is how long a killed tree may take before it is said that it is still there, and killed again.
const killAgain = 5 * time.Second

// beginStop puts the run on its stop ladder.
func (i *instance) beginStop(now time.Time, reason string, why ending) bool {
	i.ended = why
	i.endHealth()
	i.goDown(now)
	if why == endExited {
		i.ladder = ladder{step: len(i.spec.Stop.Steps), next: now.Add(killAgain), end: now.Add(killAgain)}
	}
	i.enter(Stopping, reason)
	if i.beforeStop() {
		i.ladder.next = now.Add(hooksTime(i.spec.Hooks.PreStop))
		i.ladder.end = i.ladder.next
	}
	return true
}

// hooksTime is what a list of hooks may take.
func hooksTime(hooks []spec.Action) (d time.Duration) {
	for _, a := range hooks {
		d += a.Timeout
	}
	return d + killAgain // each is killed at its timeout
}

// goDown begins the ladder itself, behind the hooks.
func (i *instance) goDown(now time.Time) {
	s := i.spec.Stop
	i.ladder = ladder{next: now.Add(s.Delay), end: now.Add(s.Delay + s.Timeout)}
}

// climb takes the next rung when it is due.
func (i *instance) climb(now time.Time) bool {
	if i.run == nil { // only the run beside it is left
		return false
	}
	if q := i.ladder.quit; !q.IsZero() && !now.Before(q) {
		i.ladder.quit = time.Time{}
		e := i.event(journal.StopStep, "close: still there, ending its message loops")
		e.PID = i.run.ident.PID
		i.env.tell(e)
		i.send("wm_quit")
	}
	if now.Before(i.ladder.next) {
		return false
	}
	if w := i.stopping; w != nil && i.state == Stopping {
		w.cancel()
		i.stopping = nil
		i.goDown(now)
		return false
	}
	if i.state == Killing {
		reason := fmt.Sprintf("process %d is still there after it was killed, probably in an uninterruptible system call", i.run.ident.PID)
		if i.reason != reason {
			i.reason = reason
			i.env.tell(i.event(journal.Warning, reason))
			i.publish()
		}
		i.killTree()
		return false
	}
	if i.ended == endExited {
		return i.forceKill(fmt.Sprintf("the rest of its tree is still there %s after its main process ended", text(now.Sub(i.run.exit.At))))
	}
	if e := i.ladder.unanswered; e != nil {
		i.ladder.unanswered = nil
		i.env.tell(*e)
	}
	steps := i.spec.Stop.Steps
	if i.ladder.step >= len(steps) || !now.Before(i.ladder.end) {
		return i.forceKill(fmt.Sprintf("still running %s after the stop began", text(now.Sub(i.since))))
	}
	step := steps[i.ladder.step]
	i.ladder.step++
	d := step.Timeout
	if d == 0 {
		d = share(i.ladder.end.Sub(now), steps[i.ladder.step:])
	}
	i.ladder.next = now.Add(d)
	if i.ladder.next.After(i.ladder.end) {
		i.ladder.next = i.ladder.end
	}
	i.take(step)
	return false
}

// share is what a step without a time of its own gets of the time that is left: as much as each such step
// behind it, when those behind it with a time of their own have got it.
func share(left time.Duration, behind []spec.Step) time.Duration {
	open, rest := 1, left
	for _, s := range behind {
		if rest -= s.Timeout; s.Timeout == 0 {
			open++
		}
	}
	if rest <= 0 { // more is promised than there is
		return left / time.Duration(len(behind)+1)
	}
	return rest / time.Duration(open)
}

// take does one step. It waits for nothing: what fails is told when it has, by stepFailed.
func (i *instance) take(step spec.Step) {
	e := i.event(journal.StopStep, step.Do)
	e.PID = i.run.ident.PID
	i.ladder.done++
	i.ladder.quit = time.Time{}
	if step.Action != nil {
		e.Reason = describe(*step.Action, i.run.port)
		i.env.tell(e)
		i.act(*step.Action, fmt.Sprintf("stop.%d", i.ladder.step))
		return
	}
	i.env.tell(e)
	i.send(step.Do)
	if step.Do == "close" {
		now := time.Now()
		i.ladder.quit = now.Add(i.ladder.next.Sub(now) / 2)
	}
}

// send hands a step to the backend beside the instance: on Windows a process is started for it.
func (i *instance) send(do string) {
	backend, run, step := i.env.backend, i.run.id, i.ladder.step
	i.env.spawn(func() {
		if err := backend.StopStep(run, do); err != nil {
			i.box.call(func(*instance) {
				if i.climbing(run, step) {
					i.env.tell(i.event(journal.Warning, fmt.Sprintf("stop step %s of service %q did not work: %v", do, i.spec.ID, err)))
					if do != "wm_quit" { // a close has come before, which may be followed yet
						i.stepFailed()
					}
				}
			})
		}
	})
}

// climbing reports whether a run is on its ladder and its step is the last that was taken.
func (i *instance) climbing(run process.RunID, step int) bool {
	return i.state == Stopping && i.run != nil && i.run.id == run && i.ladder.step == step
}

// stepFailed takes the next step at once, instead of after a time in which nothing would happen. The time
// of the last one goes to what the step before it asked for, unless that had a time of its own.
func (i *instance) stepFailed() {
	i.ladder.done--
	i.ladder.quit = time.Time{}
	steps := i.spec.Stop.Steps
	if n := i.ladder.step; n == len(steps) && i.ladder.done > 0 && steps[n-2].Timeout == 0 {
		return
	}
	i.ladder.next = time.Now()
}

// awaitEnd gives a run that hung up on a step a moment to end, before the next one.
func (i *instance) awaitEnd(failed *journal.Event) {
	i.ladder.unanswered = failed
	if next := time.Now().Add(answerGrace); next.Before(i.ladder.next) {
		former := i.ladder.next
		if i.stepFailed(); !former.Equal(i.ladder.next) { // there is a next one to come sooner
			i.ladder.next = next
		}
	}
}

// forceKill ends the tree now.
func (i *instance) forceKill(reason string) bool {
	e := i.event(journal.Killed, reason)
	e.PID = i.run.ident.PID
	i.env.tell(e)
	i.killTree()
	return i.enter(Killing, reason)
}

func (i *instance) killTree() {
	i.ladder.next, i.ladder.quit = time.Now().Add(killAgain), time.Time{}
	if err := i.env.backend.KillTree(i.run.id); err != nil {
		i.env.tell(i.event(journal.Warning, fmt.Sprintf("cannot kill service %q: %v", i.spec.ID, err)))
	}
}

// hurry ends a run at once, whatever its ladder says. It runs on the instance goroutine.
func (i *instance) hurry(reason string) {
	if i.side != nil {
		i.side.hurry(reason)
	}
	switch {
	case i.run == nil || i.state == Killing:
	case i.state == Stopping:
		i.forceKill(reason)
	case i.state == Running || i.state == Starting:
		i.beginStop(time.Now(), reason, endTarget)
		i.forceKill(reason)
	}
}
