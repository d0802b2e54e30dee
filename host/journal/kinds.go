package journal

// Meaning is what a kind of event tells, for docs/events.md and for who listens.
type Meaning struct {
	Kind Kind
	// Text says when it is written.
	Text string
	// Holds names the fields beside time, kind, service and reason that such events have.
	Holds string
}

// Meanings are all kinds that are written, in the order in which people look for them.
var Meanings = []Meaning{
	{StateChanged, "A service goes from one state to another. `reason` says why.", "`from`, `to`, `pid`; details `cause` of a stop that another run follows"},
	{Started, "A process was started that is not running yet: its startup probe is asked.", "`pid`"},
	{StartFailed, "No process could be started, or a `pre_start` hook refused it.", ""},
	{ProcessExited, "Nothing is left of a process and its tree.", "`exit` (`code`, `signal`, `status`, `text`, `uptime_ns`, `peak_memory_bytes`), `pid`; details `success`, `last_lines`"},
	{StopStep, "A step of the stop ladder was taken.", "`pid`"},
	{Killed, "The stop ladder ended in a kill.", "`pid`"},
	{LimitHit, "Its tree ran into one of `limits`; the same one once a minute.", "`pid`"},
	{Threshold, "A soft limit, one of `thresholds`, was crossed for long enough.", "`pid`; details `measure`, `limit`, `value`, `pattern` of lines, `action`"},
	{ThresholdCleared, "It is below that again, or its run is over.", "as `threshold`"},
	{Dumped, "What its process holds was written down, for `action: dump`.", "`pid`; details `path`"},
	{Failed, "It was given up: a crash loop, no restart by its policy, a dependency that will not come.", ""},
	{Healthy, "Its probes found it ready for the first time.", "`pid`; details `probe`"},
	{Unhealthy, "Its readiness probe failed; it is not restarted for that.", "`pid`; details `probe`"},
	{Recovered, "It is ready again.", "`pid`; details `probe`"},
	{Skipped, "A run that was due was left out.", ""},
	{OperatorAction, "An operator acted: start, stop, restart, signal, run-now, rotate, pause, resume, shutdown.", "`actor`; details `until`"},

	{ReloadApplied, "An edit was taken in; `reason` says what it touches.", "`actor`; details `file`, `owner`, `more_files`, `commit`, `author`, `subject`, `uncommitted`"},
	{ReloadRejected, "An edit was refused; everything runs on as before.", "as `reload_applied`"},
	{ReloadPending, "An edit is held until `host reload --confirm`.", "as `reload_applied`"},
	{SpecChanged, "The spec of a service changed; `reason` names the keys.", ""},
	{ServiceAdded, "The spec names a service that it did not name before.", ""},
	{ServiceRemoved, "A service is gone that the spec does not name any more.", ""},
	{RolledBack, "A service went back to the spec that worked; the rejected one is not tried again.", "details `rejected`, `in_force`, and who made the edit, as `reload_applied`"},
	{Rollout, "A step of a change by `update.order: start_first`.", "`pid`"},

	{OutputDropped, "Lines of output were dropped, and counted.", "details `path`"},
	{LogTrouble, "A log file can't be written, or can again.", "details `path`"},
	{LogsTrimmed, "Rotated logs were deleted early, for `host.logs.max_total` or `min_free`.", "details `path`"},
	{ForwardTrouble, "A log target takes nothing; what is for it waits.", "details `target`"},
	{ForwardOK, "A log target takes records again.", "details `target`"},
	{ForwardDropped, "Records for a log target were lost, or refused by it.", "details `target`"},
	{NotifyTrouble, "A receiver of alerts, one of `notify`, takes none; what is for it waits, or was given up.", "details `target`"},
	{NotifyOK, "A receiver of alerts takes them again.", "details `target`"},

	{HostStarted, "The host started. Without `host_stopped` before it, the former one crashed or was killed.", "`pid`"},
	{HostStopping, "The host begins to stop everything.", ""},
	{HostStopped, "The host has ended.", ""},
	{LastGood, "The host started with the last good spec, as the files are broken.", ""},
	{Upgraded, "The executable is another version.", "details `from`, `to`"},
	{UpgradeUndone, "An upgrade was undone: the former version runs on.", "details `from`, `to`"},
	{UpgradeCut, "An upgrade was cut short by a crash.", "details `from`, `to`"},
	{OrphansEnded, "Processes that a killed host left behind were ended.", ""},
	{Listening, "`host.http` is served; `reason` says where. Where it can't be, a `warning` says why.", ""},
	{Warning, "Something else that an operator should look at.", ""},
}
