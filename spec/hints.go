package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// elsewhere maps what other tools call a thing, folded by foldKey, to our key of a service.
var elsewhere = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"workingdir": "dir", "workingdirectory": "dir", "appdirectory": "dir", "cwd": "dir", "directory": "dir", "startupdir": "dir", "chdir": "dir", "workdir": "dir", "startin": "dir",
		"environment": "env", "appenvironment": "env", "appenvironmentextra": "env", "envvars": "env", "vars": "env", "environ": "env",
		"environmentfile": "env_file", "envfiles": "env_file", "dotenv": "env_file",
		"healthcheck": "health", "readinessprobe": "health.readiness", "livenessprobe": "health.liveness", "startupprobe": "health.startup", "checks": "health",
		"initialdelayseconds": "health.startup", "periodseconds": "health", "timeoutseconds": "health", "failurethreshold": "health", "successthreshold": "health",
		"startperiod": "health.startup", "interval": "health",
		"replicas": "instances", "numprocs": "instances", "numprocesses": "instances", "count": "instances", "scale": "instances",
		"stopgraceperiod": "stop.timeout", "stopwaitsecs": "stop.timeout", "killwaitsecs": "stop.timeout", "timeoutstopsec": "stop.timeout", "killtimeout": "stop.timeout", "stoptimeout": "stop.timeout", "gracefultimeout": "stop.timeout", "killdelay": "stop.timeout", "stoptimeoutsecs": "stop.timeout", "terminationgraceperiodseconds": "stop.timeout",
		"stopsignal": "stop.steps", "killsignal": "stop.steps", "termsignal": "stop.steps", "shutdown": "stop", "termination": "stop", "stopcommand": "stop.steps", "execstop": "stop.steps", "stopexecutable": "stop.steps", "killmode": "stop",
		"execstart": "command", "executable": "command", "application": "command", "cmd": "command", "exec": "command", "program": "command", "script": "command", "entrypoint": "command", "run": "command", "path": "command", "image": "command",
		"appparameters": "args", "arguments": "args", "startarguments": "args", "params": "args", "parameters": "args", "argv": "args",
		"autorestart": "restart", "restartpolicy": "restart", "respawn": "restart", "availability": "restart", "onfailure": "restart", "keepalive": "restart", "appexit": "restart", "recoveryaction": "restart",
		"startretries": "restart.limit", "maxrestarts": "restart.limit", "startlimitburst": "restart.limit", "maxretry": "restart.limit", "maxretries": "restart.limit", "crashrestartlimit": "restart.limit", "attempts": "restart.limit",
		"startlimitinterval": "restart.window", "startlimitintervalsec": "restart.window",
		"restartsec": "restart.delay", "apprestartdelay": "restart.delay", "restartdelay": "restart.delay", "backoffseconds": "restart.delay", "backoffdelay": "restart.delay", "restartpause": "restart.delay", "restartdelaysecs": "restart.delay", "expbackoffrestartdelay": "restart.delay",
		"restartmaxdelaysec": "restart.max_delay", "backofflimit": "restart.max_delay", "backofffactor": "restart.factor",
		"startsecs": "restart.reset_after", "minuptime": "restart.reset_after", "appthrottle": "restart.reset_after",
		"exitcodes": "success_exit_codes", "successexitstatus": "success_exit_codes", "stopexitcodes": "success_exit_codes", "successfulexitcode": "success_exit_codes",
		"autostart": "enabled", "disabled": "enabled", "isdisabled": "enabled", "startmode": "enabled",
		"stdoutlogfile": "log.path", "loglocation": "log.path", "logpath": "log.path", "appstdout": "log.path", "outfile": "log.path", "logfile": "log.path", "stdout": "log.path", "standardoutput": "log.path", "logs": "log",
		"stderrlogfile": "log.stderr", "appstderr": "log.stderr", "errorfile": "log.stderr", "errfile": "log.stderr", "stderr": "log.stderr", "standarderror": "log.stderr", "redirectstderr": "log.stderr",
		"stdoutlogfilemaxbytes": "log.max_size", "maxsizemb": "log.max_size", "approtatebytes": "log.max_size", "sizethreshold": "log.max_size",
		"stdoutlogfilebackups": "log.max_files", "maxbackups": "log.max_files", "keepfiles": "log.max_files", "maxagedays": "log.max_age", "rotation": "log", "logging": "log",
		"depends": "depends_on", "dependencies": "depends_on", "dependson": "depends_on", "after": "depends_on", "wants": "depends_on", "startafter": "depends_on", "dependsms": "depends_on", "waitsfor": "depends_on", "before": "depends_on",
		"runas": "user", "serviceaccount": "user", "objectname": "user", "uid": "user", "username": "user", "gid": "group",
		"displayname": "description", "label": "description",
		"cronrestart": "schedule", "cron": "schedule", "oncalendar": "schedule",
		"runtimemaxsec": "max_runtime", "maxage": "max_runtime",
		"memlimit": "limits.memory", "maxmemoryrestart": "thresholds", "alerts": "thresholds", "alarms": "thresholds", "memorymax": "limits.memory", "memorylimit": "limits.memory", "cpus": "limits.cpu", "cpuquota": "limits.cpu", "resources": "limits", "tasksmax": "limits.processes", "limitnofile": "limits.open_files",
		"nice": "priority", "apppriority": "priority", "appaffinity": "affinity", "cpuaffinity": "affinity",
		"execstartpre": "hooks.pre_start", "prestart": "hooks.pre_start", "execstartpost": "hooks.post_start", "poststart": "hooks.post_start", "prestop": "hooks.pre_stop", "poststop": "hooks.post_stop", "execstoppost": "hooks.post_stop", "execreload": "on_change",
		"ports": "port", "secret": "secrets", "instance": "instances", "profile": "profiles", "treekill": "stop", "stopasgroup": "stop", "killasgroup": "stop", "isdaemon": "track",
	}
})

// elsewhereRoot does the same for the keys of the whole file.
var elsewhereRoot = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"processes": "services", "programs": "services", "program": "services", "apps": "services", "jobs": "services", "tasks": "services", "service": "services", "units": "services", "watchers": "services",
		"environment": "env", "variables": "vars", "var": "vars", "default": "defaults", "includes": "include", "imports": "include", "extends": "include",
		"notifications": "notify", "notifiers": "notify", "alerts": "notify", "alerting": "notify", "webhooks": "notify", "webhook": "notify", "mail": "notify", "email": "notify",
		"server": "host", "global": "host", "settings": "host", "supervisord": "host", "loglevel": "host.log.level", "loglocation": "host.logs.dir", "logs": "host.logs", "shutdowntimeout": "host.shutdown_timeout",
	}
})

// elsewhereHost does the same for the section host.
var elsewhereHost = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"loglevel": "log.level", "logdir": "logs.dir", "logsdir": "logs.dir", "statedir": "state_dir", "datadir": "state_dir", "hostname": "name", "watch": "reload", "stoptimeout": "shutdown_timeout", "listen": "http.listen", "api": "http", "metrics": "http", "dashboard": "http", "inethttpserver": "http", "web": "http",
	}
})

// elsewhereNotify does the same for an element of notify.
var elsewhereNotify = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"url": "webhook", "endpoint": "webhook", "mail": "smtp", "email": "smtp", "command": "exec", "cmd": "exec", "script": "exec",
		"events": "on", "when": "on", "format": "template", "type": "template", "sign": "secret", "signingsecret": "secret", "bearertoken": "token",
		"groupinterval": "group", "groupwait": "group", "repeatinterval": "group", "filter": "services",
		"host": "smtp.server", "smarthost": "smtp.server", "username": "smtp.user", "authusername": "smtp.user", "authpassword": "smtp.password", "recipients": "smtp.to", "sender": "smtp.from", "requiretls": "smtp.starttls",
	}
})

// elsewhereThreshold does the same for an element of thresholds.
var elsewhereThreshold = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"mem": "memory", "rss": "memory", "maxmemory": "memory", "totalmem": "memory", "cpupercent": "cpu", "fds": "handles", "descriptors": "handles", "openfiles": "handles",
		"children": "processes", "growth": "memory_growth", "leak": "memory_growth", "pattern": "log", "regex": "log", "match": "log", "times": "count",
		"window": "within", "period": "within", "interval": "within", "samples": "for", "cycles": "for", "consecutive": "for", "do": "action", "then": "action", "exec": "action", "url": "dump_url",
	}
})

// elsewhereProbe does the same for a probe.
var elsewhereProbe = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"httpget": "http", "url": "http", "tcpsocket": "tcp", "test": "exec", "cmd": "exec", "command": "exec",
		"interval": "period", "periodseconds": "period", "initialdelayseconds": "initial_delay", "startperiod": "initial_delay",
		"timeoutseconds": "timeout", "retries": "failure_threshold", "failurethreshold": "failure_threshold", "successthreshold": "success_threshold",
		"expectedstatus": "status", "statuscode": "status",
	}
})

// elsewhereValue maps enumerated values of other tools to ours, by the name of the key.
var elsewhereValue = sync.OnceValue(func() map[string]map[string]string {
	return map[string]map[string]string{
		"condition": {
			"servicehealthy": "healthy", "processhealthy": "healthy", "processready": "healthy", "ready": "healthy", "servicestarted": "started", "processstarted": "started", "running": "started",
			"servicecompletedsuccessfully": "completed", "processcompletedsuccessfully": "completed", "processcompleted": "completed", "completedsuccessfully": "completed", "success": "completed", "exited": "completed",
		},
		"policy": {
			"unlessstopped": "always", "true": "always", "yes": "always", "on": "always", "unexpected": "on-failure", "onabnormal": "on-failure", "onabort": "on-failure", "exitonfailure": "on-failure", "onerror": "on-failure", "failure": "on-failure", "never": "no", "none": "no", "onsuccess": "always",
		},
		"type":     {"simple": "service", "exec": "service", "forking": "service", "notify": "service", "daemon": "service", "job": "oneshot", "batch": "oneshot", "task": "oneshot", "cron": "scheduled", "timer": "scheduled", "periodic": "scheduled"},
		"compress": {"gz": "gzip", "true": "gzip", "yes": "gzip", "zip": "gzip", "false": "none", "no": "none", "off": "none"},
		"level":    {"warning": "warn", "err": "error", "fatal": "error", "trace": "debug", "verbose": "debug"},
		"format":   {"text": "console", "plain": "console"},
	}
})

// foldKey drops case, - and _, so that ExecStart, exec_start and exec-start are one.
func foldKey(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(s))
}

// keyHint answers an unknown key: another tool's name, a slip of the pen, or a key of another level.
func keyHint(name string, known []string, others map[string]string, byName map[string][]*keyNode) string {
	folded := foldKey(name)
	for _, k := range known {
		if foldKey(k) == folded {
			return fmt.Sprintf("did you mean %q?", k)
		}
	}
	if ours, ok := others[folded]; ok {
		hint := fmt.Sprintf("it is called %s here", ours)
		first, _, _ := strings.Cut(ours, ".")
		if slices.ContainsFunc(byName[first], func(k *keyNode) bool { return k.path == first && k.kind == kindLater }) {
			hint += ", which is not supported yet"
		}
		return hint
	}
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if at := byName[name]; len(at) > 0 && at[0].kind != kindLater {
		return fmt.Sprintf("did you mean %q?", at[0].path)
	}
	if near := nearest(folded, slices.Sorted(maps.Keys(others))); len(near) >= minForeignSlip {
		return fmt.Sprintf("did you mean %q?", others[near])
	}
	return ""
}

// minForeignSlip is how long a name of another tool has to be for a slip of the pen in it to be seen:
// short ones are near to everything.
const minForeignSlip = 7

// maxHintWork bounds the names that are compared for hints in one load.
const maxHintWork = 200_000

// mayHint reports whether there is work left for comparing a name with n others. A file that is wrong
// all over needs no hint at its ten thousandth line.
func (l *loader) mayHint(n int) bool {
	l.hintWork += n
	return l.hintWork <= maxHintWork
}

// nearest returns the candidate that a few slips away from s, or "".
func nearest(s string, candidates []string) string {
	best, bestDistance := "", max(1, min(3, len(s)/3))+1
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(s), strings.ToLower(c), bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance counts inserted, removed, changed and swapped letters; limit or more is all the same.
func editDistance(a, b string, limit int) int {
	if abs := len(a) - len(b); abs >= limit || -abs >= limit || len(a) > 64 || len(b) > 64 {
		return limit
	}
	var rows [3][65]int
	before, last, row := rows[0][:len(b)+1], rows[1][:len(b)+1], rows[2][:len(b)+1]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
