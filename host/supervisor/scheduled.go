package supervisor

import (
	"math/rand/v2"
	"slices"
	"time"

	"servicehost/host/journal"
	"servicehost/host/schedule"
	"servicehost/spec"
)

// JobRun is one run of a scheduled service or a oneshot, for its history.
type JobRun struct {
	StartedAt time.Time     `json:"started_at"`
	EndedAt   time.Time     `json:"ended_at"`
	Duration  time.Duration `json:"duration_ns"`
	Code      int           `json:"code"`
	Signal    string        `json:"signal,omitempty"`
	Text      string        `json:"text"` // "exit 1 after 3s"
	Success   bool          `json:"success"`
	By        string        `json:"by,omitempty"` // who ran it outside of its schedule
}

// maxJobRuns is how many runs are remembered.
const maxJobRuns = 20

// clockLook is how often the clock on the wall is looked at while a schedule is waited for: somebody may set it.
const clockLook = 5 * time.Minute

// plan is when a scheduled service is due.
type plan struct {
	of    spec.Schedule // what times was made of
	times *schedule.Times
	base  time.Time // the next time by the schedule
	next  time.Time // the same with jitter; zero: never
	due   string    // a run is to begin, for this reason
	by    string    // who asked for it
}

func (i *instance) scheduled() bool { return i.spec.Type == spec.TypeScheduled }

// replan works out the next time after now, if there is none yet or the schedule changed.
func (i *instance) replan(now time.Time) {
	p := &i.plan
	if p.times != nil && p.of == i.spec.Schedule {
		return
	}
	times, err := schedule.New(i.spec.Schedule)
	if err != nil { // Load refuses it; a spec of another version may come from the disk
		i.env.tell(i.event(journal.Warning, "cannot work out its schedule: "+err.Error()))
		times = nil
	}
	missed := p.times == nil && p.of.Cron == "" && !p.next.IsZero() && p.next.Before(now)
	p.of, p.times = i.spec.Schedule, times
	if missed && p.due == "" && i.spec.Schedule.CatchUp {
		p.due = "run for " + stamp(p.next) + ", which was missed while the host was down"
	}
	i.planNext(now)
}

// planNext sets the time after now, and keeps it on disk: a host that was down knows by it what it missed.
func (i *instance) planNext(now time.Time) {
	p := &i.plan
	p.base, p.next = time.Time{}, time.Time{}
	if p.times == nil {
		return
	}
	if p.base = p.times.Next(now); p.base.IsZero() {
		return
	}
	p.next = p.base
	if j := i.spec.Schedule.Jitter; j > 0 {
		p.next = p.next.Add(rand.N(j))
	}
	i.keep()
}

// stepSchedule takes note of a time that has come, and reports whether that changed the state.
func (i *instance) stepSchedule(now time.Time, up bool) bool {
	if !i.scheduled() {
		if i.run == nil && !i.plan.next.IsZero() { // it was: what was planned is past if it ever is again
			i.plan = plan{}
			i.keep()
		}
		return false
	}
	if !up {
		if !i.plan.next.IsZero() && !i.target.remove && !i.target.up { // what comes due meanwhile is not missed
			i.plan = plan{}
			i.keep()
		}
		return false
	}
	i.replan(now)
	p := &i.plan
	if i.takeWish(&i.seen.job, i.target.job) {
		p.due, p.by = "run now by "+i.target.actor, i.target.actor
		if i.run != nil && i.spec.Schedule.Overlap == spec.OverlapReplace {
			return i.replace(now)
		}
	}
	if p.next.IsZero() || now.Before(p.next) {
		return false
	}
	was := p.next
	i.planNext(later(now, p.base))
	busy := i.run != nil || i.state == Backoff || i.state == Waiting && p.due != ""
	switch {
	case !busy:
		p.due, p.by = "due at "+stamp(was), ""
	case i.spec.Schedule.Overlap == spec.OverlapQueue && p.due == "":
		p.due, p.by = "due at "+stamp(was)+", behind the former run", ""
	case i.spec.Schedule.Overlap == spec.OverlapReplace && i.run != nil:
		p.due, p.by = "due at "+stamp(was), ""
		return i.replace(now)
	default:
		i.env.tell(i.event(journal.Skipped, "the run of "+stamp(was)+" is left out: "+i.occupied()))
	}
	return false
}

// occupied says why a run can't begin.
func (i *instance) occupied() string {
	switch {
	case i.run != nil && i.plan.due != "":
		return "the former one is not over, and another waits for its end"
	case i.run != nil:
		return "the former one is not over"
	}
	return "the former one is in state " + string(i.state)
}

// replace ends the run so that the next one can begin.
func (i *instance) replace(now time.Time) bool {
	if i.state != Starting && i.state != Running {
		return false
	}
	return i.beginStop(now, "replaced by the next run: "+i.plan.due, endTarget)
}

// stepIdle has a scheduled service wait for its time, or begin what is due.
func (i *instance) stepIdle(now time.Time) bool {
	p := &i.plan
	if p.due != "" {
		reason := p.due
		i.fresh()
		return i.tryStart(now, reason)
	}
	if i.looking.cancel != nil { // for a run that is not to be any more
		i.forgetLook()
	}
	if i.state == Failed {
		if !i.nextTry.Equal(p.next) {
			i.nextTry = p.next
			i.publish()
		}
		return false
	}
	i.replan(now)
	reason := "its schedule never comes"
	if !p.next.IsZero() {
		reason = "next run at " + stamp(p.next)
	}
	if i.nextTry = p.next; i.state != Waiting {
		return i.enter(Waiting, reason)
	}
	if i.reason != reason {
		i.reason = reason
		i.publish()
	}
	return false
}

// scheduleDeadline adds the moment at which the next run is due.
func (i *instance) scheduleDeadline(add func(time.Time)) {
	if n := i.plan.next; i.scheduled() && i.wantedUp() && !n.IsZero() {
		if look := time.Now().Add(clockLook); n.After(look) {
			n = look
		}
		add(n)
	}
}

// remember adds a run to the history.
func (i *instance) remember(r *run, x *journal.Exit, success bool) {
	if r.spec.Type == spec.TypeService {
		return
	}
	i.runs = append(i.runs, JobRun{
		StartedAt: r.started, EndedAt: i.exitAt, Duration: x.Uptime, Code: x.Code, Signal: x.Signal, Text: x.Text, Success: success, By: r.by,
	})
	if n := len(i.runs) - maxJobRuns; n > 0 {
		i.runs = slices.Delete(i.runs, 0, n)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// stamp is a time for people.
func stamp(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
