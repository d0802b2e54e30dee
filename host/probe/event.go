package probe

import (
	"time"
)

// Role is what an answer is used for.
type Role string

// The probes of spec.Health.
const (
	Startup   Role = "startup"
	Readiness Role = "readiness"
	Liveness  Role = "liveness"
)

// EventKind says what has changed about a run.
type EventKind string

// The kinds of events. Each is told once, when it comes true.
const (
	// StartupPassed: the startup probe succeeded, or there is none. Comes before all others but StartupFailed.
	StartupPassed EventKind = "startup_passed"
	// StartupFailed: it failed too often. Nothing is asked any more, until Resume.
	StartupFailed EventKind = "startup_failed"
	// Ready: the readiness probe succeeds, or there is none.
	Ready EventKind = "ready"
	// NotReady: the readiness probe fails, be it for the first time.
	NotReady EventKind = "not_ready"
	// LivenessFailed: the liveness probe failed too often, or the program asked for it by WATCHDOG=trigger.
	// Liveness is asked no more, until Resume or another question.
	LivenessFailed EventKind = "liveness_failed"
	// ProgramTold: the program said something by sd_notify that others than its probes may want to know.
	ProgramTold EventKind = "program_told"
)

// Event is a change of a run.
type Event struct {
	Key      string // of the Run
	Kind     EventKind
	Probe    Role   // empty where none was asked
	Reason   string // "http http://127.0.0.1:8080/ready: status 503, wanted 200-399"
	Failures int    // in a row, when it is a failure
	Message  Message
	At       time.Time
}

// Result is what a probe last answered.
type Result string

// The results. Unknown is that of a probe which was not asked yet.
const (
	Unknown Result = "unknown"
	Success Result = "success"
	Failure Result = "failure"
)

// Phase says what a probe does just now.
type Phase string

// The phases of a probe.
const (
	Gated   Phase = "gated"   // it waits for startup
	Planned Phase = "planned" // its next round has a time
	Asking  Phase = "asking"  // a round is under way or due
	Held    Phase = "held"    // it failed, and what it asks about is to be restarted
	Done    Phase = "done"    // it has its final answer
)

// Status is one probe at a moment.
type Status struct {
	Probe  Role   `json:"probe"`
	Kind   string `json:"kind"` // http, tcp, exec, log, file, notify
	Target string `json:"target"`
	Phase  Phase  `json:"phase"`

	Result    Result        `json:"result"` // of the last round
	At        time.Time     `json:"at"`     // when that was over
	Duration  time.Duration `json:"duration"`
	Successes int           `json:"successes"` // in a row
	Failures  int           `json:"failures"`  // in a row
	Warning   string        `json:"warning"`   // of the last round, a success
	Error     string        `json:"error"`     // the last reason of a failure, also when it is over
	ErrorAt   time.Time     `json:"error_at"`
	Next      time.Time     `json:"next"` // zero: none is planned

	Rounds    uint64 `json:"rounds"` // counted answers
	Failed    uint64 `json:"failed"` // of them
	Discarded uint64 `json:"discarded"`
	Discard   string `json:"discard"` // why the last of those says nothing
}

// Snapshot is what a Watch knows.
type Snapshot struct {
	Started bool     `json:"started"`
	Ready   bool     `json:"ready"`
	Paused  bool     `json:"paused"`
	Probes  []Status `json:"probes"` // startup, readiness, liveness, as far as there are
	Told    Told     `json:"told"`
}

// Told is what a program said about itself by sd_notify.
type Told struct {
	Status        string    `json:"status"`
	MainPID       int       `json:"main_pid"`
	Errno         int       `json:"errno"`
	Reloading     bool      `json:"reloading"`
	Stopping      bool      `json:"stopping"`
	ExtendedUntil time.Time `json:"extended_until"`
}
