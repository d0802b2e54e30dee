// Package control is the local channel between a running host and its command line: HTTP with JSON
// over a Unix socket or a named pipe. It holds the wire types, the server with its route table, the
// client, and the registry by which running hosts are found. It decides nothing: the server asks a Host.
package control

import (
	"context"
	"net/http"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// Status is the answer of `host status -o json`; its fields are a contract.
type Status struct {
	Host     HostStatus      `json:"host"`
	Services []ServiceStatus `json:"services"`
}

// HostStatus is the host itself.
type HostStatus struct {
	Name      string     `json:"name"`
	Version   string     `json:"version"`
	PID       int        `json:"pid"`
	StartedAt time.Time  `json:"started_at"`
	Paused    bool       `json:"paused,omitempty"`
	Stopping  bool       `json:"stopping,omitempty"`
	Spec      SpecStatus `json:"spec"`
	// LogTargets are host.log_targets, by name.
	LogTargets []LogTargetStatus `json:"log_targets,omitempty"`
	// Notify are the receivers of alerts, in the order of the spec.
	Notify []NotifierStatus `json:"notify,omitempty"`
}

// LogTargetStatus is a receiver of output. Counts are since the host started, bytes are of text.
type LogTargetStatus struct {
	Name           string    `json:"name"`
	Type           string    `json:"type"`
	State          string    `json:"state"` // ok or trouble
	Since          time.Time `json:"since"` // of the state
	Reason         string    `json:"reason,omitempty"`
	SentRecords    int64     `json:"sent_records"`
	SentBytes      int64     `json:"sent_bytes"`
	DroppedRecords int64     `json:"dropped_records"`
	DroppedBytes   int64     `json:"dropped_bytes"`
	WaitingRecords int64     `json:"waiting_records"`
	SpooledBytes   int64     `json:"spooled_bytes"` // on disk
}

// SpecState is where the files on disk stand; the first that applies, in this order.
type SpecState string

// The states of the spec.
const (
	SpecRejected   SpecState = "rejected"
	SpecPending    SpecState = "pending"
	SpecRolledBack SpecState = "rolled_back"
	SpecLastGood   SpecState = "last_good"
	SpecApplied    SpecState = "applied"
)

// SpecStatus says what the host makes of its files.
type SpecStatus struct {
	Path      string         `json:"path"`
	State     SpecState      `json:"state"`
	Hash      string         `json:"hash"`
	AppliedAt time.Time      `json:"applied_at"`
	Problems  []spec.Problem `json:"problems"` // never null
	// Pending says why an edit is held, and Reason why a spec was rolled back or is the last good one.
	Reason string `json:"reason,omitempty"`
	// Commit and Subject of the git checkout that the spec lies in, read from its files.
	Commit  string `json:"commit,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// ServiceStatus is one instance.
type ServiceStatus struct {
	Name     string `json:"name"`
	Instance int    `json:"instance"`
	ID       string `json:"id"`
	Type     string `json:"type,omitempty"` // service, oneshot or scheduled
	State    string `json:"state"`
	Health   string `json:"health"`
	// HealthReason says what the readiness probe found, where it isn't ready.
	HealthReason string `json:"health_reason,omitempty"`
	// StatusText is what the program last said of itself by sd_notify, STATUS=.
	StatusText string `json:"status_text,omitempty"`
	// Probes are those that are asked of the run: startup, readiness, liveness, as far as there are.
	Probes  []ProbeStatus `json:"probes,omitempty"`
	Desired string        `json:"desired"` // up or down
	// DesiredBy says who wants it down: operator, spec. DesiredUntil is when an operator's wish ends.
	DesiredBy    string            `json:"desired_by,omitempty"`
	DesiredUntil *time.Time        `json:"desired_until,omitempty"`
	Reason       string            `json:"reason"`
	PID          int               `json:"pid"` // 0: none
	Spec         ServiceSpecStatus `json:"spec"`
	Restarts     int               `json:"restarts"` // automatic ones since the last start by an operator or a spec
	Since        time.Time         `json:"since"`    // of the state
	StartedAt    *time.Time        `json:"started_at"`
	NextRun      *time.Time        `json:"next_run"` // next try of a backoff or a failed one, or of a schedule
	LastExit     *ExitStatus       `json:"last_exit"`
	CPUPercent   float64           `json:"cpu_percent"` // 100 = one core
	MemoryBytes  int64             `json:"memory_bytes"`
	Processes    int               `json:"processes"`
	Port         int               `json:"port,omitempty"`
	Description  string            `json:"description,omitempty"`
	// Rollout is how far the change to another process has come; absent: none is on its way.
	Rollout *RolloutStatus `json:"rollout,omitempty"`
	// Thresholds are those that are crossed. They are told of and change nothing of AsDesired.
	Thresholds []ThresholdStatus `json:"thresholds,omitempty"`
	// AsDesired reports whether nothing needs an operator's eye.
	AsDesired bool `json:"as_desired"`
	// LastLines are the last lines of output, for a service that is not as desired.
	LastLines []string `json:"last_lines,omitempty"`
	// Runs are the latest of a oneshot or a scheduled service, newest first.
	Runs []RunStatus `json:"runs,omitempty"`
}

// ThresholdStatus is a threshold that is crossed.
type ThresholdStatus struct {
	Measure string    `json:"measure"` // its key in the spec
	Limit   string    `json:"limit"`
	Value   string    `json:"value"` // of the last sample
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason"`
}

// ProbeStatus is one probe of a run.
type ProbeStatus struct {
	Probe  string `json:"probe"` // startup, readiness, liveness
	Kind   string `json:"kind"`  // http, tcp, exec, log, file, notify
	Target string `json:"target"`
	// Phase is gated (it waits for startup), planned, asking, held (what it asks about is to be restarted) or done.
	Phase      string     `json:"phase"`
	Result     string     `json:"result"` // of the last round: unknown, success, failure
	At         *time.Time `json:"at"`     // of the end of that round
	DurationMS int64      `json:"duration_ms"`
	Failures   int        `json:"failures"`          // in a row
	Error      string     `json:"error"`             // the last reason of a failure, also when it is over
	Warning    string     `json:"warning,omitempty"` // of the last round, a success
	Next       *time.Time `json:"next"`              // null: no round is planned
}

// RunStatus is one run that is over.
type RunStatus struct {
	StartedAt  time.Time `json:"started_at"`
	EndedAt    time.Time `json:"ended_at"`
	DurationMS int64     `json:"duration_ms"`
	Code       int       `json:"code"`
	Signal     string    `json:"signal,omitempty"`
	Text       string    `json:"text"`
	Success    bool      `json:"success"`
	By         string    `json:"by,omitempty"` // who ran it outside of its schedule
}

// RolloutStatus is a change to another process of an instance with update.order: start_first.
type RolloutStatus struct {
	// State is starting_next (it is not ready yet, the current one goes on), switching (it took over, the former
	// one is being stopped), monitoring (it has to stay ready), ending_next (it is of no use and is being ended)
	// or held (it waits for what the service depends on).
	State  string    `json:"state"`
	PID    int       `json:"pid,omitempty"` // of the process beside the current one
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
}

// ServiceSpecStatus is how an instance stands to the spec: applied, rolled_back or pending.
type ServiceSpecStatus struct {
	State string `json:"state"`
	Hash  string `json:"hash"`
	// Rejected is the hash of the spec that this instance was rolled back from.
	Rejected string `json:"rejected,omitempty"`
}

// ExitStatus is how the last run ended.
type ExitStatus struct {
	Code   int       `json:"code"`
	Signal string    `json:"signal"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// Plan is what a reload would do now.
type Plan struct {
	// State is where the files stand: applied (nothing to do), changed, pending or rejected.
	State    string         `json:"state"`
	Path     string         `json:"path"`
	Hash     string         `json:"hash"`
	Problems []spec.Problem `json:"problems"` // never null
	// Held says why the edit waits for `host reload --confirm`.
	Held    string       `json:"held,omitempty"`
	Changes []PlanChange `json:"changes"` // never null
}

// PlanChange is what happens to one instance, or to the host where Name is empty.
type PlanChange struct {
	Name     string `json:"name,omitempty"`
	Instance int    `json:"instance,omitempty"`
	ID       string `json:"id,omitempty"`
	// Action is add, remove, restart, update (live), start, stop, keep_rolled_back, next_start (host only).
	Action string      `json:"action"`
	Fields []PlanField `json:"fields,omitempty"`
	Reason string      `json:"reason,omitempty"`
	// Order is how a restart of a service that stays up is done: stop_first or start_first. Parallelism is how
	// many of its instances are changed at once.
	Order       string `json:"order,omitempty"`
	Parallelism int    `json:"parallelism,omitempty"`
}

// PlanField is one changed key. Values that may be secret are shown as <redacted #hash>.
type PlanField struct {
	Path  string `json:"path"` // restart.delay
	Old   string `json:"old"`
	New   string `json:"new"`
	Class string `json:"class"`
}

// ReloadRequest asks for a reload now.
type ReloadRequest struct {
	Confirm bool     `json:"confirm,omitempty"` // apply what is pending
	Retry   []string `json:"retry,omitempty"`   // forget that these were rolled back
	Wait    bool     `json:"wait,omitempty"`    // also for the time in which a changed service has to stay up
	Actor   string   `json:"-"`
}

// ReloadResult is how it ended.
type ReloadResult struct {
	State    SpecState      `json:"state"`
	Hash     string         `json:"hash"`
	Problems []spec.Problem `json:"problems"` // never null
	Changes  []PlanChange   `json:"changes"`  // never null
	Reason   string         `json:"reason,omitempty"`
	// RolledBack are the instances that went back to what worked.
	RolledBack []string `json:"rolled_back,omitempty"`
	// Failed are instances whose change could not be carried out and that have nothing to go back to.
	Failed []string `json:"failed,omitempty"`
}

// Verb is what an operator does to services.
type Verb string

// The verbs.
const (
	VerbStart   Verb = "start"
	VerbStop    Verb = "stop"
	VerbRestart Verb = "restart"
	VerbSignal  Verb = "signal"
	VerbRotate  Verb = "rotate"
	VerbRunNow  Verb = "run-now"
)

// ActRequest asks to do something to services. Names are service names or instance ids.
type ActRequest struct {
	Verb    Verb          `json:"verb"`
	Names   []string      `json:"names,omitempty"`
	All     bool          `json:"all,omitempty"`
	NoWait  bool          `json:"no_wait,omitempty"`
	Timeout time.Duration `json:"timeout_ns,omitempty"` // of the wait; 0: none
	// Until ends an operator's stop: the services are started again then.
	Until  *time.Time `json:"until,omitempty"`
	Signal string     `json:"signal,omitempty"`
	Actor  string     `json:"-"`
}

// ActResult says, for each instance, how it stands afterwards.
type ActResult struct {
	Services []ActOutcome `json:"services"` // never null
}

// ActOutcome is one instance. OK reports whether what was asked holds now (or was handed over, with NoWait).
type ActOutcome struct {
	ID     string `json:"id"`
	OK     bool   `json:"ok"`
	State  string `json:"state"`
	PID    int    `json:"pid"`
	Reason string `json:"reason,omitempty"`
}

// EventsRequest selects events.
type EventsRequest struct {
	Services []string
	Kinds    []journal.Kind
	Since    time.Time // zero: no limit
	Until    time.Time // zero: no limit; following ends then
	Last     int       // the newest n; 0: all, negative: none
	Follow   bool
}

// LogsRequest selects log lines.
type LogsRequest struct {
	Services []string // names or ids; empty: all
	Last     int      // the newest n lines of each; negative: all
	Follow   bool
	Grep     string    // regular expression
	Stream   string    // stdout, stderr or host; empty: all
	Since    time.Time // zero: no limit
	Until    time.Time // zero: no limit
	Raw      bool      // lines as they are in the files, also where these hold records
}

// LogLine is one line of output of a service, or several that log.multiline joined; its fields are a contract.
type LogLine struct {
	Time     time.Time `json:"time,omitzero"` // where it isn't known
	ID       string    `json:"id"`
	Service  string    `json:"service,omitempty"`
	Instance int       `json:"instance,omitempty"`
	Stream   string    `json:"stream"` // stdout, stderr; host for what the host itself put into the log
	Line     string    `json:"line"`
	Bytes    []byte    `json:"bytes,omitempty"` // of a raw line that is no UTF-8
}

// Host is what the server asks. Every method is called from many goroutines. Errors that are *Error
// reach the client as they are.
type Host interface {
	Status(ctx context.Context) (Status, error)
	Plan(ctx context.Context) (Plan, error)
	Reload(ctx context.Context, r ReloadRequest) (ReloadResult, error)
	Act(ctx context.Context, r ActRequest) (ActResult, error)
	Pause(ctx context.Context, on bool, actor string) error
	// Events and Logs call send for each element, oldest first, until the end, or with Follow until ctx ends.
	Events(ctx context.Context, r EventsRequest, send func(journal.Event) error) error
	Logs(ctx context.Context, r LogsRequest, send func(LogLine) error) error
	Usage(ctx context.Context, r UsageRequest) (UsageAnswer, error)
	// Report sums up the journal.
	Report(ctx context.Context, r ReportRequest) (Report, error)
	// Metrics answers scrapes; Vars are further values for /debug/vars.
	Metrics() http.Handler
	Vars() map[string]any
	Graph(ctx context.Context) (Graph, error)
	// Login makes a sign-in to the dashboard of host.http that works once.
	Login(ctx context.Context, r LoginRequest) (LoginAnswer, error)
	// NotifyTest sends a message to receivers of alerts and waits for what becomes of it.
	NotifyTest(ctx context.Context, r NotifyTestRequest) (NotifyTestResult, error)
	// Shutdown asks the host to stop everything and end.
	Shutdown(ctx context.Context, actor string) error
}

// Error is an error with something to do about it; `{"error":{"message":"","hint":""}}` on the wire.
type Error struct {
	Status  int    `json:"-"` // HTTP status
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (e *Error) Error() string { return e.Message }
