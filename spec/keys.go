package spec

import (
	"reflect"
	"strings"
	"sync"
)

// kind says how the value of a key is read.
type kind uint8

const (
	kindText kind = iota
	kindPath
	kindBool
	kindInt
	kindFactor
	kindDuration
	kindSize
	kindPercent
	kindRate
	kindEnum
	kindTexts   // a list of texts, or one
	kindCommand // a list, or a string that is split
	kindEnv
	kindPaths
	kindPort
	kindBurst
	kindDepends
	kindCodes
	kindSteps
	kindGroup
	kindPriority
	kindAffinity
	kindCores // a percentage of one core, may be over 100
	kindSecret
	kindSwitch  // auto, true or false
	kindAuto    // a text, or auto
	kindPattern // a regular expression
	kindNamed   // a mapping of names to groups of the keys below path.*
	kindPairs   // a mapping of names to texts
	kindLimit   // a size, or auto
	kindArgv    // a program and its arguments
	kindStatus  // status codes of HTTP
	kindActions // a list of actions
	kindOnChange
	kindProbe    // a mapping of the keys of a probe
	kindLines    // a number of lines per second, or a rate
	kindRequired // a list of what requires names, or one
	kindList     // a list of groups of the keys below path.*, or one
	kindEnums    // a list of values of an enumeration, or one
	kindWebhook  // an address, or where it is found as a secret
	kindListen   // host:port to listen on
	kindMail     // a list of mail addresses, or one
	kindThresholds
	kindThresholdAction
	kindGrowth // a size per hour, minute or day
	kindLater  // of the full design, not in this version
)

// key is one key of the spec: the one place from which the decoder, the schema and the reference know it.
// Its class stands beside the field in types.go; Class is for keys without a field.
type key struct {
	path  string // below its section, dots between
	kind  kind
	def   string // the default, as text for people
	doc   string
	enum  []string // of kindEnum
	min   float64  // of kindInt and kindFactor
	max   float64
	off   []string // of kindLater: values that ask for nothing
	class string   // of a key without a field of its own
	short string   // of kindGroup: the key that a plain value is meant for
}

// hostKeys is the section host.
var hostKeys = []key{
	{path: "name", kind: kindText, def: "the machine's name", doc: "Name of this host, for ${HOST_NAME} and for finding it."},
	{path: "shutdown_timeout", kind: kindDuration, def: "60s", doc: "Whole budget for stopping everything."},
	{path: "reload", kind: kindGroup, doc: "How edits of the files are taken."},
	{path: "reload.mode", kind: kindEnum, enum: []string{"auto", "manual"}, def: "auto", doc: "auto applies an edit, manual holds it until host reload --confirm."},
	{path: "reload.quiet", kind: kindDuration, def: "300ms", doc: "How long the files must be left alone before an edit is taken."},
	{path: "reload.max_removed", kind: kindPercent, def: "50%", doc: "An edit that would stop more of the running services is held, when at least 4 run."},
	{path: "reload.max_restarted", kind: kindPercent, def: "100%", doc: "An edit that would restart more of the running services is held, when at least 4 run."},
	{path: "restarts", kind: kindGroup, doc: "Governor over all automatic restarts of this host."},
	{path: "restarts.rate", kind: kindRate, def: "5/s", doc: "Automatic restarts allowed over time."},
	{path: "restarts.burst", kind: kindBurst, def: "auto", doc: "Automatic restarts allowed at once; auto is max(30, 2 x services)."},
	{path: "log", kind: kindGroup, doc: "The host's own log."},
	{path: "log.level", kind: kindEnum, enum: []string{"debug", "info", "warn", "error"}, def: "info", doc: "What is written."},
	{path: "log.format", kind: kindEnum, enum: []string{"auto", "console", "json"}, def: "auto", doc: "auto is console on standard error and json in a file."},
	{path: "log.path", kind: kindPath, def: "auto", doc: "File; auto is standard error in the foreground and host.log beside the logs under a service manager."},
	{path: "log.max_size", kind: kindSize, def: "10MiB", doc: "Size at which the file is rotated; 0 is no limit."},
	{path: "log.max_files", kind: kindInt, max: 10_000, def: "5", doc: "Rotated files that are kept."},
	{path: "control", kind: kindGroup, doc: "Who may use the local control channel."},
	{path: "control.group", kind: kindText, def: "none", doc: "Group that may use it, besides the administrator and the owner."},
	{path: "logs", kind: kindGroup, doc: "Where the logs of services lie."},
	{path: "logs.dir", kind: kindPath, def: "auto", doc: "Folder; auto is logs in the state folder, under a service manager on Unix /var/log/servicehost/<name>."},
	{path: "logs.max_total", kind: kindLimit, def: "auto", doc: "Size of all rotated files together, of which the oldest go; auto is 10% of the volume, at most 10GiB, 0 is no limit."},
	{path: "logs.min_free", kind: kindLimit, def: "auto", doc: "Space that rotated files leave free on the volume; auto is 5% of it, at most 1GiB, 0 is no limit."},
	{path: "state_dir", kind: kindPath, def: "auto", doc: "Folder of what the host keeps; auto is .host beside the spec, under a service manager the system's place."},
	{path: "event_log", kind: kindSwitch, def: "auto", doc: "Whether important events go to the Windows Event Log, journald or syslog; auto is under a service manager only."},
	{path: "http", kind: kindGroup, doc: "Listener of metrics, health and the dashboard (docs/dashboard.md)."},
	{path: "http.listen", kind: kindListen, def: "none", doc: "host:port, such as 127.0.0.1:9180; beyond loopback it needs tls, and tokens or tls.client_ca."},
	{path: "http.tls", kind: kindGroup, doc: "How it proves itself; a changed file is read again."},
	{path: "http.tls.cert", kind: kindPath, def: "none", doc: "Its certificate, PEM."},
	{path: "http.tls.key", kind: kindPath, def: "none", doc: "Its key, PEM."},
	{path: "http.tls.client_ca", kind: kindPath, def: "none", doc: "Authorities of the certificates that clients have to show, PEM."},
	{path: "http.tokens", kind: kindList, def: "none", doc: "Who may sign in, and with what."},
	{path: "http.tokens.*.name", kind: kindText, def: "required", doc: "Name for the journal: who did it.", class: "live"},
	{path: "http.tokens.*.role", kind: kindEnum, enum: []string{"read", "act"}, def: "read", doc: "act may also start, stop and reload.", class: "live"},
	{path: "http.tokens.*.file", kind: kindPath, def: "required", doc: "File that holds the token and nothing else.", class: "live"},
	{path: "log_targets", kind: kindNamed, def: "none", doc: "Receivers of output by name, for log.forward."},
	{path: "log_targets.*.type", kind: kindEnum, enum: []string{"otlp", "loki", "syslog", "json"}, def: "required", doc: "OTLP over HTTP, Loki's push API, syslog as in RFC 5424, or one JSON object a line.", class: "live"},
	{path: "log_targets.*.url", kind: kindText, def: "required", doc: "http or https; syslog: udp, tcp or tls; json: tcp, tls, http or https. A path that is left out is that of the protocol.", class: "live"},
	{path: "log_targets.*.headers", kind: kindPairs, def: "none", doc: "Further headers of requests over HTTP.", class: "live"},
	{path: "log_targets.*.labels", kind: kindPairs, def: "none", doc: "Further labels, besides host, service, instance and stream.", class: "live"},
	{path: "log_targets.*.token", kind: kindSecret, def: "none", doc: "Bearer token: {file}, {env}, {exec}, {dpapi} or {credential}.", class: "live"},
	{path: "log_targets.*.user", kind: kindText, def: "none", doc: "User of basic authentication.", class: "live"},
	{path: "log_targets.*.password", kind: kindSecret, def: "none", doc: "His password, as token.", class: "live"},
	{path: "log_targets.*.tls", kind: kindGroup, doc: "How the target is trusted.", class: "live"},
	{path: "log_targets.*.tls.ca", kind: kindPath, def: "those of the system", doc: "Certificates of the authorities that are trusted, PEM.", class: "live"},
	{path: "log_targets.*.tls.cert", kind: kindPath, def: "none", doc: "Certificate to show, PEM.", class: "live"},
	{path: "log_targets.*.tls.key", kind: kindPath, def: "none", doc: "Its key, PEM.", class: "live"},
	{path: "log_targets.*.tls.server_name", kind: kindText, def: "that of the url", doc: "Name that the target's certificate must have.", class: "live"},
	{path: "log_targets.*.tls.insecure", kind: kindBool, def: "false", doc: "Takes any certificate.", class: "live"},
	{path: "log_targets.*.compress", kind: kindEnum, enum: []string{"gzip", "none"}, def: "gzip", doc: "How requests over HTTP are compressed.", class: "live"},
	{path: "log_targets.*.spool", kind: kindSize, def: "256MiB", doc: "Space on disk for what waits while the target is away; what is more is dropped, oldest first, and counted.", class: "live"},
	{path: "log_targets.*.timeout", kind: kindDuration, def: "10s", doc: "Of a request or a connection.", class: "live"},
	{path: "log_targets.*.facility", kind: kindEnum, enum: []string{"user", "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}, def: "daemon", doc: "Facility of syslog.", class: "live"},
}

// serviceKeys are the keys of a service, and of defaults.
var serviceKeys = []key{
	{path: "description", kind: kindText, def: "none", doc: "What it is, for people."},
	{path: "type", kind: kindEnum, enum: []string{"service", "oneshot", "scheduled"}, def: "service", doc: "A service stays up, a oneshot runs to its end, a scheduled one does so when schedule says."},
	{path: "enabled", kind: kindBool, def: "true", doc: "Whether it is started."},
	{path: "profiles", kind: kindTexts, def: "none", doc: "Used only with one of these profiles."},
	{path: "instances", kind: kindInt, min: 1, max: maxInstances, def: "1", doc: "How many run, as NAME.1, NAME.2 and so on."},
	{path: "command", kind: kindCommand, def: "required", doc: "Program and arguments: a list, or a text that is split at blanks (\"double quotes\" group, a backslash is a plain character, no shell)."},
	{path: "args", kind: kindCommand, def: "none", class: "restart", doc: "Further arguments."},
	{path: "raw_args", kind: kindText, def: "none", doc: "Tail of the command line, handed over as it is; Windows only."},
	{path: "dir", kind: kindPath, def: "the folder of the spec", doc: "Working folder."},
	{path: "inherit_env", kind: kindBool, def: "true", doc: "Whether it gets the environment of the host."},
	{path: "env", kind: kindEnv, def: "none", doc: "Environment; null removes a variable."},
	{path: "env_file", kind: kindPaths, def: "none", doc: "Files of NAME=value lines; a ? before the name makes one optional."},
	{path: "user", kind: kindText, def: "the user of the host", doc: "User it runs as. Windows: LocalSystem, LocalService, NetworkService, DOMAIN\\name$ of a managed service account, or DOMAIN\\name with a password."},
	{path: "group", kind: kindText, def: "the group of the user", doc: "Group it runs as; Unix."},
	{path: "password", kind: kindSecret, def: "none", doc: "Where the password of user is: {file}, {env}, {exec}, {dpapi} or {credential}; Windows only, never the password itself."},
	{path: "session", kind: kindEnum, enum: []string{"service", "user"}, def: "service", doc: "user runs it on the desktop of the signed-in user, while somebody is signed in; Windows only."},
	{path: "restricted_token", kind: kindBool, def: "false", doc: "Takes every privilege away; on Linux it can't gain any (no_new_privs)."},
	{path: "integrity", kind: kindEnum, enum: []string{"low", "medium"}, def: "that of the user", doc: "Integrity level, which bounds what it may write to; Windows only."},
	{path: "port", kind: kindPort, def: "none", doc: "PORT of the first instance, the next ones count up; auto is a free port per run."},
	{path: "depends_on", kind: kindDepends, def: "none", doc: "Services that must be there first: a list of names, or NAME: {condition, required}."},
	{path: "depends_on.*.condition", kind: kindEnum, enum: []string{"started", "healthy", "completed"}, def: "started", doc: "What it must have reached: its process runs, it is ready, or it ended with success."},
	{path: "depends_on.*.required", kind: kindBool, def: "true", doc: "Whether it is a problem when that service is disabled or out of profile."},
	{path: "depends_on.*.restart", kind: kindBool, def: "false", doc: "Whether it is restarted when that service was."},
	{path: "restart", kind: kindGroup, short: "policy", doc: "What follows an exit; a plain value is the policy."},
	{path: "restart.policy", kind: kindEnum, enum: []string{"always", "on-failure", "no"}, def: "always; oneshot, scheduled: no", doc: "Which exits are followed by a restart. In defaults it reaches only services of type service."},
	{path: "restart.delay", kind: kindDuration, def: "1s", doc: "Wait before the first restart; the next ones wait delay x factor^n."},
	{path: "restart.factor", kind: kindFactor, min: 1, max: 100, def: "2", doc: "By how much the delay grows."},
	{path: "restart.max_delay", kind: kindDuration, def: "1m", doc: "Longest delay."},
	{path: "restart.jitter", kind: kindFactor, min: 0, max: 1, def: "0.1", doc: "Part of the delay that is random."},
	{path: "restart.reset_after", kind: kindDuration, def: "30s", doc: "After running this long the delay starts anew; limit still counts."},
	{path: "restart.limit", kind: kindInt, max: 100_000, def: "10", doc: "This many restarts within window are a crash loop: failed; 0 is no limit."},
	{path: "restart.window", kind: kindDuration, def: "10m", doc: "See limit."},
	{path: "restart.retry_after", kind: kindDuration, def: "10m", doc: "A failed service is tried again after this; 0 is only by hand."},
	{path: "success_exit_codes", kind: kindCodes, def: "[0]", doc: "Exit codes that are a success."},
	{path: "stop", kind: kindGroup, doc: "How it is ended."},
	{path: "stop.steps", kind: kindSteps, def: "[SIGTERM]; Windows: [ctrl_c, close]", doc: "One after another until it ends: ctrl_c, ctrl_break, close, stdin_close, a signal name, or an action; NAME: 5s waits so long."},
	{path: "stop.delay", kind: kindDuration, def: "0s", doc: "Wait before the first step."},
	{path: "stop.timeout", kind: kindDuration, def: "30s", doc: "For all steps; then the whole tree is killed."},
	{path: "log", kind: kindGroup, doc: "Where its output goes."},
	{path: "log.path", kind: kindPath, def: "<logs dir>/<id>.log", doc: "File of the output."},
	{path: "log.stderr", kind: kindPath, def: "the same file", doc: "Second file, for standard error; in text and json it may be that of log.path."},
	{path: "log.max_size", kind: kindSize, def: "50MiB", doc: "Size at which the file is rotated; 0 is no limit."},
	{path: "log.max_files", kind: kindInt, max: 10_000, def: "10", doc: "Rotated files that are kept."},
	{path: "log.max_age", kind: kindDuration, def: "0", doc: "Rotated files older than this are removed; 0 is never."},
	{path: "log.compress", kind: kindEnum, enum: []string{"gzip", "zstd", "none"}, def: "gzip", doc: "How rotated files are compressed."},
	{path: "log.encoding", kind: kindAuto, def: "auto", doc: "Encoding of the output, which is written as UTF-8: utf-8, gbk, utf-16le, cp437 or another IANA name. auto is UTF-8 as it is, and on Windows the code page of the system for what is no UTF-8."},
	{path: "log.rotate", kind: kindEnum, enum: []string{"none", "hourly", "daily"}, def: "none", doc: "Rotated at the hour or at midnight too, whatever the size."},
	{path: "log.rotate_zone", kind: kindEnum, enum: []string{"local", "utc"}, def: "local", doc: "Whose hours and days rotate means."},
	{path: "log.format", kind: kindEnum, enum: []string{"raw", "text", "json"}, def: "raw", doc: "raw is the output as it is, text puts time, stream and instance in front of each line, json makes an object of each (docs/logs.md)."},
	{path: "log.multiline", kind: kindPattern, def: "none", doc: "Regular expression of lines that belong to the one before, such as '^\\s' for stack traces; they are one record."},
	{path: "log.ansi", kind: kindEnum, enum: []string{"keep", "strip"}, def: "keep", doc: "Whether escape sequences (colours) stay."},
	{path: "log.max_line", kind: kindSize, def: "64KiB; raw: whole", doc: "Longer lines are cut, with a mark; longer records are divided."},
	{path: "log.rate", kind: kindLines, def: "0", doc: "Lines per second of each stream that are kept, with as many at once; what is dropped is counted in the file. 0 is all."},
	{path: "log.forward", kind: kindTexts, def: "none", doc: "Names of host.log_targets that get the output too."},
	{path: "max_runtime", kind: kindDuration, def: "0s", doc: "It is restarted, or a oneshot ended, after this; 0 is never."},
	{path: "track", kind: kindEnum, enum: []string{"main", "tree"}, def: "main", doc: "What keeps it up: its main process, or anything in its tree."},
	{path: "limits", kind: kindGroup, doc: "What its whole tree may use."},
	{path: "limits.memory", kind: kindSize, def: "none", doc: "Memory of the tree: committed on Windows, charged to the cgroup on Linux."},
	{path: "limits.cpu", kind: kindCores, def: "none", doc: "CPU time of the tree; 100% is one core."},
	{path: "limits.processes", kind: kindInt, min: 1, max: 1_000_000, def: "none", doc: "Processes of the tree; on Linux threads count too."},
	{path: "limits.open_files", kind: kindInt, min: 16, max: 1 << 30, def: "that of the host", doc: "Open files of each process; Unix only."},
	{path: "limits.action", kind: kindEnum, enum: []string{"restart", "log"}, def: "restart", doc: "What follows when the memory limit is reached and the system ends no process for it."},
	{path: "priority", kind: kindPriority, def: "normal", doc: "idle, below_normal, normal, above_normal, high, or a nice value from -20 to 19."},
	{path: "affinity", kind: kindAffinity, def: "all", doc: "Logical CPUs it may run on: 0-3, or [0, 2, 4-7]."},
	{path: "allow_breakaway", kind: kindBool, def: "false", doc: "Lets processes leave the tree on purpose, and so outlive it; Windows only."},
	{path: "error_reporting", kind: kindBool, def: "false", doc: "Leaves an unhandled exception to Windows Error Reporting (dumps) instead of ending the process at once; Windows only."},
	{path: "watch", kind: kindGroup, short: "paths", doc: "Programs and other files whose change restarts it, as a change of its spec would."},
	{path: "watch.paths", kind: kindPaths, def: "none; with shadow_copy the program", doc: "Files and folders that are watched."},
	{path: "watch.quiet", kind: kindDuration, def: "5s", doc: "How long they must be left alone before a change is taken."},
	{path: "watch.shadow_copy", kind: kindBool, def: "false", doc: "Runs the folder of the program from a copy, so that it can be overwritten while it runs, and a bad one taken back."},
	{path: "health", kind: kindGroup, doc: "Whether it works."},
	{path: "health.startup", kind: kindProbe, def: "none", doc: "It is starting until this succeeds once; the others wait for that. When it fails for good the service is restarted."},
	{path: "health.readiness", kind: kindProbe, def: "none", doc: "Whether it is of use now: what depends on it, and rollouts, wait for that."},
	{path: "health.liveness", kind: kindProbe, def: "none", doc: "When it fails the service is restarted."},
	{path: "update", kind: kindGroup, doc: "How a changed spec or binary is rolled out."},
	{path: "update.order", kind: kindEnum, enum: []string{"stop_first", "start_first"}, def: "stop_first", doc: "Whether the old process ends before the new one is started, or when the new one is ready; start_first needs port: auto, no port, or shared_port."},
	{path: "update.parallelism", kind: kindInt, min: 1, max: maxInstances, def: "1", doc: "Instances that are changed at once."},
	{path: "update.timeout", kind: kindDuration, def: "5m", doc: "A changed instance has to be ready within this."},
	{path: "update.monitor", kind: kindDuration, def: "10s", doc: "And to stay ready for this, in the background."},
	{path: "update.failure_action", kind: kindEnum, enum: []string{"rollback", "pause", "continue"}, def: "rollback", doc: "What follows when it does not: the spec that worked comes back, the rollout stops where it is, or it goes on."},
	{path: "update.shared_port", kind: kindBool, def: "false", doc: "The program shares its fixed port with another process of its own (SO_REUSEPORT), as start_first needs."},
	{path: "schedule", kind: kindGroup, short: "cron", doc: "When a scheduled service runs; a plain value is cron."},
	{path: "schedule.cron", kind: kindText, def: "required", doc: "Minute, hour, day, month and weekday, with seconds in front or without; or @daily, @every 5m and the like."},
	{path: "schedule.timezone", kind: kindText, def: "that of the machine", doc: "Whose clock is meant, such as Asia/Shanghai."},
	{path: "schedule.overlap", kind: kindEnum, enum: []string{"skip", "queue", "replace"}, def: "skip", doc: "When it is due and the former run is not over: left out, run behind it (one waits at most), or the former is ended."},
	{path: "schedule.jitter", kind: kindDuration, def: "0s", doc: "Each run is late by a random part of this."},
	{path: "schedule.catch_up", kind: kindBool, def: "false", doc: "One run at the start of the host for those that were missed meanwhile."},
	{path: "secrets", kind: kindLater},
	{path: "on_change", kind: kindOnChange, def: "restart", doc: "What follows when env_file, watched files or x-config hold something else: restart, {signal: HUP}, or an action; for programs that reload themselves."},
	{path: "thresholds", kind: kindThresholds, def: "none", doc: "What is watched and told when it is too much, below; nothing is enforced (docs/thresholds.md)."},
	{path: "hooks", kind: kindGroup, doc: "Actions around its life, told what happened by HOST_* variables; their output goes to its log."},
	{path: "hooks.pre_start", kind: kindActions, def: "none", doc: "Before each start, in order; the first failure keeps it from starting."},
	{path: "hooks.post_start", kind: kindActions, def: "none", doc: "Once it runs."},
	{path: "hooks.pre_stop", kind: kindActions, def: "none", doc: "Before the first step of a stop."},
	{path: "hooks.post_stop", kind: kindActions, def: "none", doc: "When nothing of it is left, and before the next start."},
	{path: "hooks.on_failure", kind: kindActions, def: "none", doc: "When it is given up, for now or for good."},
	{path: "requires", kind: kindGroup, doc: "What must be there before each start; until then it is waiting (docs/requires.md)."},
	{path: "requires.os", kind: kindRequired, def: "any", doc: "System, one of: linux, windows, darwin; with a version such as 'windows >= 10.0.17763'."},
	{path: "requires.arch", kind: kindRequired, def: "any", doc: "Architecture of the machine, one of: amd64, arm64 and so on."},
	{path: "requires.files", kind: kindRequired, def: "none", doc: "Files that are there and can be read."},
	{path: "requires.folders", kind: kindRequired, def: "none", doc: "Folders that are there and can be written to."},
	{path: "requires.ports", kind: kindRequired, def: "none", doc: "TCP ports that nobody listens on."},
	{path: "requires.commands", kind: kindRequired, def: "none", doc: "Programs that are found as command is; with a version such as 'java >= 17', which they are run for."},
	{path: "requires.tcp", kind: kindRequired, def: "none", doc: "Addresses, host:port, that take a connection."},
	{path: "requires.services", kind: kindRequired, def: "none", doc: "Services of the system that run: of systemd, the service control manager or launchd."},
}

// keyNode is a key in the tree of its section.
type keyNode struct {
	key
	name     string
	id       int // counts the keys of a section
	field    int // index in the struct of the parent, or -1
	children map[string]*keyNode
	order    []*keyNode
	class    string
}

// section is a tree of keys over a struct.
type section struct {
	root *keyNode
	all  []*keyNode
	// byName finds the keys that end in a name, for hints.
	byName map[string][]*keyNode
}

var hostSection = sync.OnceValue(func() *section { return newSection(hostKeys, reflect.TypeFor[Host]()) })

var serviceSection = sync.OnceValue(func() *section { return newSection(serviceKeys, reflect.TypeFor[Service]()) })

func newSection(keys []key, t reflect.Type) *section {
	s := &section{root: &keyNode{key: key{kind: kindGroup}, children: map[string]*keyNode{}, field: -1}, byName: map[string][]*keyNode{}}
	for id, k := range keys {
		parent, structure := s.root, t
		parts := strings.Split(k.path, ".")
		for _, p := range parts[:len(parts)-1] {
			parent = parent.children[p]
			if structure.Kind() == reflect.Map || structure.Kind() == reflect.Slice {
				structure = structure.Elem()
			} else if p != "*" {
				structure = structure.Field(parent.field).Type
			}
			if structure.Kind() == reflect.Pointer {
				structure = structure.Elem()
			}
		}
		name := parts[len(parts)-1]
		n := &keyNode{key: k, name: name, id: id, field: -1, children: map[string]*keyNode{}}
		if structure.Kind() == reflect.Struct {
			for i := range structure.NumField() {
				if f := structure.Field(i); f.Tag.Get("key") == name {
					n.field, n.class = i, f.Tag.Get("class")
				}
			}
		}
		if n.class == "" {
			n.class = k.class
		}
		parent.children[name] = n
		parent.order = append(parent.order, n)
		s.all = append(s.all, n)
		s.byName[name] = append(s.byName[name], n)
		if k.kind == kindDepends || k.kind == kindNamed || k.kind == kindList {
			each := &keyNode{key: key{path: k.path + ".*", kind: kindGroup}, name: "*", field: -1, children: map[string]*keyNode{}}
			n.children["*"] = each
		}
	}
	return s
}
