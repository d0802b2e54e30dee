package journal

import (
	"strings"
	"time"
)

// phase is what the time of an instance counts as.
type phase string

const (
	phaseNone     phase = ""        // nothing is known
	phaseUp       phase = "up"      // it is of use
	phaseDown     phase = "down"    // it should be
	phaseChanging phase = "change"  // an operator or an edit has it replaced
	phaseOff      phase = "off"     // it is not meant to be up
	phaseIdle     phase = "idle"    // a job between its runs, or in one
	phaseHost     phase = "host"    // no host runs
	phaseBooting  phase = "booting" // the host has started, it not yet
)

// changeGrace is how long a planned replacement may take: what is longer is an outage.
const changeGrace = 5 * time.Minute

// unit is what is known of one instance.
type unit struct {
	ID       string `json:"id"`
	Service  string `json:"service"`
	Instance int    `json:"instance"`

	Phase phase     `json:"phase,omitempty"`
	Since time.Time `json:"since,omitzero"` // counted up to then
	Began time.Time `json:"began,omitzero"` // of phaseChanging
	// Outage is when the present one began, Why what it began with.
	Outage time.Time `json:"outage,omitzero"`
	Why    string    `json:"why,omitempty"`

	PID    int    `json:"pid,omitempty"`    // of the current run
	Probed bool   `json:"probed,omitempty"` // it tells when it is ready
	Job    bool   `json:"job,omitempty"`
	Crash  bool   `json:"crash,omitempty"` // it was up when its host crashed
	Next   string `json:"next,omitempty"`  // why the next start will be one of again
	Ended  string `json:"ended,omitempty"` // how the last run did
	Asked  bool   `json:"asked,omitempty"` // an operator asked for a restart

	Days map[string]*unitDay `json:"days,omitempty"`
}

// unitDay is what happened to an instance on one day.
type unitDay struct {
	Up      int64 `json:"up_ms,omitempty"`
	Down    int64 `json:"down_ms,omitempty"`
	Planned int64 `json:"planned_ms,omitempty"`
	Host    int64 `json:"host_ms,omitempty"` // no host ran

	Outages   int       `json:"outages,omitempty"` // that ended on this day
	Longest   int64     `json:"longest_ms,omitempty"`
	LongestAt time.Time `json:"longest_at,omitzero"`
	LongestBy string    `json:"longest_by,omitempty"`

	Restarts map[string]int `json:"restarts,omitempty"`
	Runs     int            `json:"runs,omitempty"` // of a job
	Failed   int            `json:"failed,omitempty"`
	Skipped  int            `json:"skipped,omitempty"`
}

func (u *unit) day(name string) *unitDay {
	d := u.Days[name]
	if d == nil {
		d = &unitDay{}
		u.Days[name] = d
	}
	return d
}

// count counts the time up to now by the phase.
func (u *unit) count(l *ledger, now time.Time) {
	from := u.Since
	u.Since = now
	if from.IsZero() || !from.Before(now) {
		return
	}
	if over := u.Began.Add(changeGrace); u.Phase == phaseChanging && now.After(over) {
		if from.Before(over) {
			u.book(l, phaseChanging, from, over)
			from = over
		}
		u.Phase = phaseDown
		u.fail(over, orElse(u.Why, "it did not come up again"))
	}
	u.book(l, u.Phase, from, now)
}

func (u *unit) book(l *ledger, p phase, from, to time.Time) {
	l.span(from, to, func(day string, ms int64) {
		switch d := u.day(day); p {
		case phaseUp:
			d.Up += ms
		case phaseDown:
			d.Down += ms
		case phaseChanging, phaseOff, phaseIdle:
			d.Planned += ms
		case phaseHost:
			d.Host += ms
		case phaseNone, phaseBooting:
		}
	})
}

// turn ends the phase and begins another one.
func (u *unit) turn(l *ledger, p phase, at time.Time, why string) {
	u.count(l, at)
	if p == phaseDown {
		u.fail(at, why)
	} else if p != phaseBooting {
		u.endOutage(l, at)
	}
	if p == phaseChanging && u.Phase != phaseChanging {
		u.Began, u.Why = at, why
	}
	u.Phase = p
}

// fail begins an outage, unless one is under way.
func (u *unit) fail(at time.Time, why string) {
	if u.Outage.IsZero() {
		u.Outage, u.Why = at, why
	}
}

func (u *unit) endOutage(l *ledger, at time.Time) {
	if u.Outage.IsZero() {
		return
	}
	from := u.Outage
	u.Outage = time.Time{}
	if at.Before(l.cut) {
		return
	}
	if from.Before(l.cut) {
		from = l.cut
	}
	d := u.day(dayOf(at))
	d.Outages++
	if ms := at.Sub(from).Milliseconds(); ms > d.Longest || d.LongestAt.IsZero() {
		d.Longest, d.LongestAt, d.LongestBy = ms, from, clipText(u.Why, maxWhy)
	}
}

// maxWhy bounds what is kept of why an outage began.
const maxWhy = 200

// hostEnds takes in that no host runs any more.
func (u *unit) hostEnds(l *ledger, at time.Time) {
	if u.Phase == phaseOff || u.Phase == phaseNone {
		return
	}
	u.Crash = u.Phase == phaseUp || u.Phase == phaseDown
	u.turn(l, phaseHost, at, "")
	u.Next = ""
}

// hostBegins takes in that one runs again. What the instance does then its next event tells; a service that the
// spec names no more has none.
func (u *unit) hostBegins(l *ledger, at time.Time) {
	if u.Phase == phaseHost {
		u.turn(l, phaseBooting, at, "")
		u.Began = at
	}
}

// booted counts the time since the start of the host, once it is known that the instance is there. After a crash
// of the host it is one in which it should have been up.
func (u *unit) booted(at time.Time) {
	if u.Phase != phaseBooting {
		return
	}
	if u.Phase = phaseChanging; u.Crash {
		u.Phase = phaseDown
		u.fail(u.Began, "its host had crashed or was killed")
	}
	u.Crash = false
}

// observe feeds one event of the instance.
func (u *unit) observe(l *ledger, e Event) {
	u.booted(e.Time)
	switch e.Kind {
	case StateChanged:
		u.moved(l, e)
	case Started:
		u.PID = e.PID
	case ProcessExited:
		u.ended(l, e)
	case StartFailed:
		u.Ended, u.Why = RestartStartFailed, orElse(u.Why, e.Reason)
	case RolledBack:
		u.Ended = RestartRollback
	case SpecChanged:
		if strings.Contains(e.Reason, "health") {
			u.Probed = false // by now there may be none
		}
		if u.Next == RestartRetry {
			u.Next = RestartChange
		}
	case OperatorAction:
		switch u.Asked = e.Reason == "restart"; {
		case e.Reason == "start", e.Reason == "run-now":
			u.Next = ""
		case u.Asked && u.Next != "":
			u.Next = RestartOperator
		}
	case Healthy:
		u.Probed = true
		switch u.Phase {
		case phaseUp: // it ran, but was not of use before this
			u.Phase = phaseChanging
			u.Began = u.Since
			u.turn(l, phaseUp, e.Time, "")
		case phaseChanging, phaseDown:
			u.turn(l, phaseUp, e.Time, "")
		}
	case Unhealthy:
		u.Probed = true
		u.turn(l, phaseDown, e.Time, e.Reason)
	case Recovered:
		u.Probed = true
		u.turn(l, phaseUp, e.Time, "")
	case Rollout:
		if cause := e.Details[DetailCause]; cause != "" { // another run took its place
			u.PID = e.PID
			u.again(l, e.Time, u.reasonOf(e))
		}
	case Skipped:
		if !e.Time.Before(l.cut) {
			u.day(dayOf(e.Time)).Skipped++
		}
	case ServiceRemoved:
		u.turn(l, phaseNone, e.Time, "")
	}
}

// ended takes in the end of a run.
func (u *unit) ended(l *ledger, e Event) {
	success := e.Details[DetailSuccess] != ""
	if u.PID != 0 && e.PID != 0 && e.PID != u.PID { // of a process beside the current one
		return
	}
	if u.Ended = RestartExit; e.Exit != nil && strings.HasPrefix(e.Exit.Text, outOfMemory) {
		u.Ended = RestartLimit
	}
	if u.Job && !e.Time.Before(l.cut) {
		d := u.day(dayOf(e.Time))
		if d.Runs++; !success {
			d.Failed++
		}
	}
	if u.Phase == phaseUp && !u.Job && !success { // the state that follows comes at the same moment
		u.turn(l, phaseDown, e.Time, e.Reason)
	}
}

func (u *unit) again(l *ledger, at time.Time, reason string) {
	if reason == "" || at.Before(l.cut) {
		return
	}
	d := u.day(dayOf(at))
	if d.Restarts == nil {
		d.Restarts = map[string]int{}
	}
	d.Restarts[reason]++
}

// moved takes in a change of state.
func (u *unit) moved(l *ledger, e Event) {
	switch e.To {
	case "stopping":
		u.Next = u.reasonOf(e)
		switch {
		case u.Job:
		case u.Next == "": // it is to be down, or has ended by itself
			if !strings.Contains(e.Reason, "ending the rest of its tree") {
				u.turn(l, phaseChanging, e.Time, e.Reason)
			}
		case u.Next == RestartProbe, u.Next == RestartLimit, u.Next == RestartThreshold:
			u.turn(l, phaseDown, e.Time, e.Reason)
		case u.Phase == phaseUp:
			u.turn(l, phaseChanging, e.Time, e.Reason)
		}
	case "stopped":
		u.Next, u.PID = "", 0
		if e.Reason != "the host is stopping" || l.Host != hostStopping {
			u.turn(l, phaseOff, e.Time, "")
		} else {
			u.turn(l, phaseHost, e.Time, "")
		}
	case "exited":
		u.Next = ""
		u.turn(l, phaseOff, e.Time, "")
	case "backoff":
		if u.Next == "" {
			u.Next = orElse(u.Ended, RestartExit)
		}
		u.down(l, e)
	case "failed":
		u.Next = RestartRetry
		u.down(l, e)
	case "waiting":
		if u.Job = u.Job || strings.HasPrefix(e.Reason, "next run at "); u.Job {
			u.turn(l, phaseIdle, e.Time, "")
		} else if u.Phase == phaseNone || u.Phase == phaseOff { // it is to come up, which may take a while
			u.turn(l, phaseChanging, e.Time, e.Reason)
		} else if u.Phase != phaseChanging {
			u.down(l, e)
		}
	case "starting":
		if u.again(l, e.Time, u.Next); u.Next != "" {
			u.Asked = false
		}
		u.Next, u.Ended = "", ""
		switch {
		case u.Job:
			u.turn(l, phaseIdle, e.Time, "")
		case u.Phase == phaseUp || u.Phase == phaseOff || u.Phase == phaseNone || u.Phase == phaseIdle:
			u.turn(l, phaseChanging, e.Time, "it did not come up")
		}
	case "running":
		u.PID = e.PID
		switch {
		case u.Job:
			u.turn(l, phaseIdle, e.Time, "")
		case !u.Probed:
			u.turn(l, phaseUp, e.Time, "")
		}
	}
}

// down begins or goes on with an outage; a job has none.
func (u *unit) down(l *ledger, e Event) {
	if !u.Job {
		u.turn(l, phaseDown, e.Time, e.Reason)
	}
}

// The reasons of restarts, as metrics name them.
const (
	RestartExit        = "exit"
	RestartStartFailed = "start_failed"
	RestartProbe       = "probe"
	RestartLimit       = "limit"
	RestartMaxRuntime  = "max_runtime"
	RestartChange      = "change"
	RestartOperator    = "operator"
	RestartThreshold   = "threshold"
	RestartDependency  = "dependency"
	RestartRollback    = "rollback"
	RestartRetry       = "retry"
)

// reasonOf says why a run is replaced; "" where it is not to be.
func (u *unit) reasonOf(e Event) string {
	switch e.Details[DetailCause] {
	case CauseProbe:
		return RestartProbe
	case CauseLimit:
		return RestartLimit
	case CauseThreshold:
		return RestartThreshold
	case CauseMaxRuntime:
		return RestartMaxRuntime
	case CauseChange:
		return RestartChange
	case CauseAsked:
		if u.Asked {
			return RestartOperator
		}
		return RestartDependency
	}
	return ""
}
