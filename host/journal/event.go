// Package journal keeps what happened: a bounded, torn-write-safe file of events that can be read
// while it is written, and with no host running.
package journal

import "time"

// Event is one thing that happened to a service or to the host.
type Event struct {
	// Seq rises within one state folder and is never used again, but for events that a power loss took.
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Service, Instance and ID are empty for events of the host.
	Service  string `json:"service,omitempty"`
	Instance int    `json:"instance,omitempty"`
	ID       string `json:"id,omitempty"`
	// Incarnation of the run that this is about.
	Incarnation uint64 `json:"incarnation,omitempty"`
	// From and To are states, for Kind state.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Reason in plain words; never a secret.
	Reason string `json:"reason,omitempty"`
	// Actor is who asked, for what an operator did.
	Actor string `json:"actor,omitempty"`
	PID   int    `json:"pid,omitempty"`
	Exit  *Exit  `json:"exit,omitempty"`
	// Details are a few short further facts.
	Details map[string]string `json:"details,omitempty"`
}

// LastLines is the detail of Kind exited that holds the last lines of output. Of these the end is kept.
const LastLines = "last_lines"

// Exit is how a process ended.
type Exit struct {
	Code   int           `json:"code"`
	Signal string        `json:"signal,omitempty"`
	Text   string        `json:"text,omitempty"` // exit 3 after 1.2s
	Uptime time.Duration `json:"uptime_ns,omitempty"`
}

// Kind of an event.
type Kind string

// The kinds.
const (
	HostStarted    Kind = "host_started"
	HostStopping   Kind = "host_stopping"
	HostStopped    Kind = "host_stopped"
	StateChanged   Kind = "state"
	Started        Kind = "started" // a process was started
	StartFailed    Kind = "start_failed"
	ProcessExited  Kind = "exited"
	StopStep       Kind = "stop_step"
	Killed         Kind = "killed"    // the stop ladder ended in a kill
	LimitHit       Kind = "limit_hit" // its tree ran into a limit, which Reason names
	Failed         Kind = "failed"    // gave up: crash loop or no restart by policy
	Recovered      Kind = "recovered"
	Healthy        Kind = "healthy"   // its probes found it ready
	Unhealthy      Kind = "unhealthy" // its probes found it ready no more
	ReloadApplied  Kind = "reload_applied"
	ReloadRejected Kind = "reload_rejected"
	ReloadPending  Kind = "reload_pending"
	SpecChanged    Kind = "spec_changed" // of one service, with the fields in Reason
	ServiceAdded   Kind = "added"
	ServiceRemoved Kind = "removed"
	Skipped        Kind = "skipped" // a run that was due while the former one was not over
	RolledBack     Kind = "rolled_back"
	Rollout        Kind = "rollout"  // a step of a change by start_first
	OperatorAction Kind = "operator" // start, stop, restart, signal, pause, resume, reload by hand
	OutputDropped  Kind = "output_dropped"
	LogTrouble     Kind = "log_trouble"
	LogsTrimmed    Kind = "logs_trimmed" // rotated logs were deleted early, for host.logs.max_total or min_free
	Upgraded       Kind = "upgraded"     // the executable is another version
	UpgradeUndone  Kind = "upgrade_reverted"
	UpgradeCut     Kind = "upgrade_cut" // it was cut short by a crash
	LastGood       Kind = "last_good"   // started with the last good spec
	OrphansEnded   Kind = "orphans_ended"
	Warning        Kind = "warning"
	// Gap is never written: it tells a slow subscriber that events from Seq on passed it by.
	Gap Kind = "gap"
)
