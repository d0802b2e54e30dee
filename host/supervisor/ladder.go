package supervisor

import (
	"fmt"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// ladder is how far a stop has come.
type ladder struct {
	step int       // the next one
	next time.Time // when it is due
	end  time.Time // when force is used
}

// killAgain is how long a killed tree may take before it is said that it is still there, and killed again.
const killAgain = 5 * time.Second

// beginStop puts the run on its stop ladder.
func (i *instance) beginStop(now time.Time, reason string, why ending) bool {
	s := i.spec.Stop
	i.ended = why
	i.ladder = ladder{next: now.Add(s.Delay), end: now.Add(s.Delay + s.Timeout)}
	if why == endExited {
		i.ladder = ladder{step: len(s.Steps), next: now.Add(killAgain), end: now.Add(killAgain)}
	}
	return i.enter(Stopping, reason)
}

// climb takes the next rung when it is due.
func (i *instance) climb(now time.Time) bool {
	if now.Before(i.ladder.next) {
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
	steps := i.spec.Stop.Steps
	if i.ladder.step >= len(steps) || !now.Before(i.ladder.end) {
		return i.forceKill(fmt.Sprintf("still running %s after the stop began", text(now.Sub(i.since))))
	}
	step := steps[i.ladder.step]
	i.ladder.step++
	i.ladder.next = i.ladder.end
	switch {
	case step.Timeout > 0:
		i.ladder.next = now.Add(step.Timeout)
	case i.ladder.step < len(steps): // the time that is left is shared with the steps behind
		i.ladder.next = now.Add(i.ladder.end.Sub(now) / time.Duration(len(steps)-i.ladder.step+1))
	}
	if i.ladder.next.After(i.ladder.end) {
		i.ladder.next = i.ladder.end
	}
	i.take(step)
	return false
}

// take does one step. One that can't be done is told, and the next is taken at once.
func (i *instance) take(step spec.Step) {
	e := i.event(journal.StopStep, step.Do)
	e.PID = i.run.ident.PID
	if step.Action != nil {
		e.Reason = describe(*step.Action)
		i.env.tell(e)
		i.act(*step.Action, fmt.Sprintf("stop.%d", i.ladder.step))
		return
	}
	err := i.env.backend.StopStep(i.run.id, step.Do)
	if err != nil {
		e.Kind, e.Reason = journal.Warning, fmt.Sprintf("stop step %s of service %q did not work: %v", step.Do, i.spec.ID, err)
		i.ladder.next = time.Now()
	}
	i.env.tell(e)
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
	i.ladder.next = time.Now().Add(killAgain)
	if err := i.env.backend.KillTree(i.run.id); err != nil {
		i.env.tell(i.event(journal.Warning, fmt.Sprintf("cannot kill service %q: %v", i.spec.ID, err)))
	}
}

// hurry ends a run at once, whatever its ladder says. It runs on the instance goroutine.
func (i *instance) hurry(reason string) {
	switch {
	case i.run == nil || i.state == Killing:
	case i.state == Stopping:
		i.forceKill(reason)
	case i.state == Running:
		i.beginStop(time.Now(), reason, endTarget)
		i.forceKill(reason)
	}
}
