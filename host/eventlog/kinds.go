package eventlog

//go:generate go test -run ^TestDocumentIsInStep$ -update .

// Severity of an event, as all three systems have it.
type Severity int

// The severities.
const (
	Info Severity = iota
	Warning
	Error
)

func (s Severity) String() string { return [...]string{"information", "warning", "error"}[s] }

// Kind is one kind of event that is written.
type Kind struct {
	// ID is the number in the Event Viewer. It never gets another meaning, and none is above 1000: the
	// messages of EventCreate.exe end there.
	ID       uint32
	Severity Severity
	// Name is the kind as `host events` shows it.
	Name string
	// Text is the message; {service}, {reason} and {by} (who asked) stand for what the event says.
	Text string
	// Lines says that the last lines of a process that ended belong to it.
	Lines bool
	// Do is what an operator should do about it, for docs/events.md.
	Do string
}

// Kinds that have no text of their own: the event that follows them says what counts.
const (
	kindExited  = "exited"
	kindStarted = "started"
)

// HostFailed is an event without a journal to be written to: the host can't run.
const HostFailed = "host_failed"

// Kinds of which this package itself makes events.
const (
	kindWarning    = "warning"
	kindError      = "error"
	kindSuppressed = "suppressed"
	kindLost       = "lost"
)

// Kinds are all events that are written, by ID. 1 to 99 are of the host, 100 to 199 of its spec, 200 to 299
// of services, 300 to 399 of logs and disk, 900 to 999 everything else.
var Kinds = []Kind{
	{ID: 1, Severity: Info, Name: "host_started", Text: "The host has started: {reason}"},
	{ID: 2, Severity: Info, Name: "host_stopping", Text: "The host stops all services and ends: {reason}"},
	{ID: 3, Severity: Info, Name: "host_stopped", Text: "The host has ended, {reason}"},
	{ID: 4, Severity: Error, Name: HostFailed, Text: "The host can't run: {reason}",
		Do: "Nothing is supervised. Mend what the text names, try it with `host validate`, then `host daemon start`."},
	{ID: 5, Severity: Error, Name: "last_good", Text: "The host started with what worked last: {reason}",
		Do: "The services run, but not as the files say. `host validate` shows the problems; a mended file is taken in by itself."},
	{ID: 6, Severity: Warning, Name: "orphans_ended", Text: "Processes that a killed host left behind were ended: {reason}",
		Do: "Find out what killed the host."},
	{ID: 7, Severity: Info, Name: "upgraded", Text: "The host was upgraded: {reason}"},
	{ID: 8, Severity: Error, Name: "upgrade_reverted", Text: "An upgrade of the host was undone: {reason}",
		Do: "The former version runs on. Its log, host.log, and the events before this one say what the new version lacked."},
	{ID: 9, Severity: Warning, Name: "upgrade_cut", Text: "An upgrade of the host was cut short: {reason}",
		Do: "Look at `host version`, and at what ended `host upgrade`; run it again."},
	{ID: 20, Severity: Warning, Name: "notify_trouble", Text: "A receiver of alerts is in trouble: {reason}",
		Do: "See that the receiver runs and takes messages: `host notify test`; `host notify` shows how many wait for it."},
	{ID: 21, Severity: Info, Name: "notify_ok", Text: "A receiver of alerts is well again: {reason}"},

	{ID: 100, Severity: Info, Name: "reload_applied", Text: "The edited spec was applied{by}: {reason}"},
	{ID: 101, Severity: Error, Name: "reload_rejected", Text: "The edited spec was rejected{by}, everything runs on as before: {reason}",
		Do: "`host validate` shows all problems; the next write of the file is tried again."},
	{ID: 102, Severity: Warning, Name: "reload_pending", Text: "The edited spec is held{by}: {reason}",
		Do: "Look at `host plan`; `host reload --confirm` applies it."},
	{ID: 103, Severity: Error, Name: "rolled_back", Text: "Service {service} went back to the spec that worked before: {reason}", Lines: true,
		Do: "Mend the spec of the service, or its program and then `host reload --retry NAME`."},

	{ID: 200, Severity: Warning, Name: "backoff", Text: "Service {service} is down and will be started again: {reason}", Lines: true,
		Do: "`host why NAME` and `host logs NAME` show what came before."},
	{ID: 201, Severity: Error, Name: "failed", Text: "Service {service} has failed: {reason}", Lines: true,
		Do: "It stays down until `restart.retry_after` is over, or `host start NAME`."},
	{ID: 202, Severity: Info, Name: "recovered", Text: "Service {service} is well again: {reason}"},
	{ID: 203, Severity: Warning, Name: "killed", Text: "Service {service} did not stop in time and was killed: {reason}",
		Do: "Raise `stop.timeout`, or give it stop steps that it understands."},
	{ID: 204, Severity: Info, Name: "operator", Text: "An operator acted{by}: {subject}{reason}"},
	{ID: 205, Severity: Warning, Name: "limit_hit", Text: "Service {service} met one of its limits: {reason}",
		Do: "Find out what it needs so much of, or raise the limit in `limits`."},
	{ID: 206, Severity: Warning, Name: "unhealthy", Text: "Service {service} is not ready any more: {reason}",
		Do: "`host why NAME` and `host logs NAME` show what came before; what depends on it goes on."},
	{ID: 207, Severity: Warning, Name: "skipped", Text: "A run of service {service} was left out: {reason}",
		Do: "It runs longer than the time between two runs: see `schedule.overlap` and `max_runtime`."},
	{ID: 208, Severity: Warning, Name: "threshold", Text: "Service {service} crossed a threshold: {reason}",
		Do: "`host why NAME` shows what came before; raise the figure in `thresholds` where this is how it should be."},
	{ID: 209, Severity: Info, Name: "threshold_cleared", Text: "Service {service} is below its threshold again: {reason}"},
	{ID: 210, Severity: Info, Name: "dumped", Text: "What service {service} holds was written down: {reason}"},

	{ID: 300, Severity: Warning, Name: "output_dropped", Text: "Output of service {service} was dropped: {reason}",
		Do: "See that the disk has room and is fast enough, or set `log.rate`."},
	{ID: 301, Severity: Warning, Name: "log_trouble", Text: "The log of service {service} is in trouble: {reason}",
		Do: "See that the disk has room and that nothing locks the file."},
	{ID: 302, Severity: Warning, Name: "logs_trimmed", Text: "Rotated logs were deleted early: {reason}",
		Do: "Find out why these services write so much, give the volume more room, or raise `host.logs.max_total`."},
	{ID: 303, Severity: Warning, Name: "forward_trouble", Text: "A log target is in trouble: {reason}",
		Do: "See that the target runs and can be reached; `host status` shows how much waits for it."},
	{ID: 304, Severity: Info, Name: "forward_ok", Text: "A log target is well again: {reason}"},
	{ID: 305, Severity: Warning, Name: "forward_dropped", Text: "Log records for a target were lost: {reason}",
		Do: "See why the target was away for so long, or refuses them; a larger `spool` of the target bridges more."},

	{ID: 900, Severity: Warning, Name: kindWarning, Text: "{subject}{reason}"},
	{ID: 901, Severity: Error, Name: kindError, Text: "{subject}{reason}"},
	{ID: 998, Severity: Info, Name: kindSuppressed, Text: "{subject}{reason}",
		Do: "Nothing is lost: `host events` has all of them."},
	{ID: 999, Severity: Warning, Name: kindLost, Text: "{reason}",
		Do: "`host events` has all of them."},
}

var byKind = func() map[string]*Kind {
	m := make(map[string]*Kind, len(Kinds))
	for n := range Kinds {
		m[Kinds[n].Name] = &Kinds[n]
	}
	return m
}()
