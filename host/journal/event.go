// Package journal keeps what happened: a bounded, torn-write-safe file of events that can be read
// while it is written, and with no host running.
package journal

import (
	"strconv"
	"strings"
	"time"
)

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

// The names of details.
const (
	// LastLines of Kind exited holds the last lines of output. Of these the end is kept.
	LastLines = "last_lines"
	// DetailFile is the input that changed, for a reload, and DetailOwner whom it belongs to; DetailMore counts
	// further ones.
	DetailFile  = "file"
	DetailOwner = "owner"
	DetailMore  = "more_files"
	// DetailCommit (short), DetailAuthor and DetailSubject are of what is checked out where that input lies;
	// DetailUncommitted is "true" where the input holds something else than the commit.
	DetailCommit      = "commit"
	DetailAuthor      = "author"
	DetailSubject     = "subject"
	DetailUncommitted = "uncommitted"
	// DetailUntil is when an operator's stop ends by itself, RFC 3339.
	DetailUntil = "until"
	// DetailMeasure, DetailLimit and DetailValue are of a threshold, DetailPattern of one that counts lines.
	DetailMeasure = "measure"
	DetailLimit   = "limit"
	DetailValue   = "value"
	DetailPattern = "pattern"
	// DetailAction is what follows: log, notify, restart, dump, or action.
	DetailAction = "action"
	// DetailPath is the file of a dump.
	DetailPath = "path"
	// DetailProbe is the probe that found a run ready, or not.
	DetailProbe = "probe"
	// DetailTarget is the name of a log target.
	DetailTarget = "target"
	// DetailLastAlive of Kind host_started is when a former host was seen alive last that did not come to its
	// end, RFC 3339.
	DetailLastAlive = "last_alive"
	// DetailSuccess of Kind exited is "true" where the end was what the program was to come to.
	DetailSuccess = "success"
)

// ThresholdKey names the threshold that an event of Kind Threshold or ThresholdCleared is of, as nothing else of its
// service: memory 400MiB, log 5 of "^ERROR".
func (e Event) ThresholdKey() string {
	key := e.Details[DetailMeasure] + " " + e.Details[DetailLimit]
	if p := e.Details[DetailPattern]; p != "" {
		key += " of " + strconv.Quote(p)
	}
	return strings.TrimSpace(key)
}

// Exit is how a process ended.
type Exit struct {
	Code   int           `json:"code"`
	Signal string        `json:"signal,omitempty"`
	Status string        `json:"status,omitempty"` // name of an exit code of the system: STATUS_ACCESS_VIOLATION
	Text   string        `json:"text,omitempty"`   // exit 3 after 1.2s
	Uptime time.Duration `json:"uptime_ns,omitempty"`
	// PeakMemory is the most that its tree used at once, where the system counts it; 0: unknown.
	PeakMemory int64 `json:"peak_memory_bytes,omitempty"`
}

// Kind of an event.
type Kind string

// The kinds.
const (
	HostStarted      Kind = "host_started"
	HostStopping     Kind = "host_stopping"
	HostStopped      Kind = "host_stopped"
	StateChanged     Kind = "state"
	Started          Kind = "started" // a process was started
	StartFailed      Kind = "start_failed"
	ProcessExited    Kind = "exited"
	StopStep         Kind = "stop_step"
	Killed           Kind = "killed"    // the stop ladder ended in a kill
	LimitHit         Kind = "limit_hit" // its tree ran into a limit, which Reason names
	Failed           Kind = "failed"    // gave up: crash loop or no restart by policy
	Recovered        Kind = "recovered"
	Healthy          Kind = "healthy"   // its probes found it ready
	Unhealthy        Kind = "unhealthy" // its probes found it ready no more
	ReloadApplied    Kind = "reload_applied"
	ReloadRejected   Kind = "reload_rejected"
	ReloadPending    Kind = "reload_pending"
	SpecChanged      Kind = "spec_changed" // of one service, with the fields in Reason
	ServiceAdded     Kind = "added"
	ServiceRemoved   Kind = "removed"
	Skipped          Kind = "skipped" // a run that was due while the former one was not over
	RolledBack       Kind = "rolled_back"
	Rollout          Kind = "rollout"  // a step of a change by start_first
	OperatorAction   Kind = "operator" // start, stop, restart, signal, pause, resume, reload by hand
	OutputDropped    Kind = "output_dropped"
	LogTrouble       Kind = "log_trouble"
	ForwardTrouble   Kind = "forward_trouble" // a log target takes nothing
	ForwardOK        Kind = "forward_ok"      // it does again
	ForwardDropped   Kind = "forward_dropped" // records are lost that were for it
	NotifyTrouble    Kind = "notify_trouble"  // a receiver of alerts takes none
	NotifyOK         Kind = "notify_ok"       // it does again
	Threshold        Kind = "threshold"       // a soft limit was crossed
	ThresholdCleared Kind = "threshold_cleared"
	Dumped           Kind = "dumped"       // what a process holds was written down
	LogsTrimmed      Kind = "logs_trimmed" // rotated logs were deleted early, for host.logs.max_total or min_free
	Upgraded         Kind = "upgraded"     // the executable is another version
	UpgradeUndone    Kind = "upgrade_reverted"
	UpgradeCut       Kind = "upgrade_cut" // it was cut short by a crash
	LastGood         Kind = "last_good"   // started with the last good spec
	OrphansEnded     Kind = "orphans_ended"
	Listening        Kind = "listening" // host.http is served
	Warning          Kind = "warning"
	// Gap is never written: it tells a slow subscriber that events from Seq on passed it by.
	Gap Kind = "gap"
)
