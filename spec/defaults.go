package spec

import (
	"os"
	"strings"
	"time"
)

// maxInstances bounds the instances of one service, maxTotalInstances those of all.
const (
	maxInstances      = 1000
	maxTotalInstances = 20_000
)

// maxServiceText bounds the arguments and the environment of one service, maxTotalText those of all
// instances: systems refuse more than one or two MiB, and aliases would make gigabytes of a small file.
const (
	maxServiceText = 1 << 20
	maxTotalText   = 64 << 20
)

// defaultRestart is the restart policy of a service that says nothing; Policy depends on the type.
var defaultRestart = Restart{
	Delay: time.Second, Factor: 2, MaxDelay: time.Minute, Jitter: 0.1, ResetAfter: 30 * time.Second,
	Limit: 10, Window: 10 * time.Minute, RetryAfter: 10 * time.Minute,
}

// minMaxLine and maxMaxLine bound log.max_line: a mark must fit, and nobody reads more than a MiB as one line.
const (
	minMaxLine = 64
	maxMaxLine = 1 << 20
)

const defaultStopTimeout = 30 * time.Second

// defaultWatchQuiet is watch.quiet of a service that watches something.
const defaultWatchQuiet = 5 * time.Second

// defaultUpdate is how a change is rolled out by a service that says nothing.
var defaultUpdate = Update{Order: StopFirst, Parallelism: 1, Timeout: 5 * time.Minute, Monitor: 10 * time.Second, FailureAction: FailureRollback}

// defaultActionTimeout bounds an action that says nothing.
const defaultActionTimeout = 30 * time.Second

var defaultLog = Log{MaxSize: 50 << 20, MaxFiles: 10, Compress: CompressGzip}

// defaultHost holds the built-in values of the host; what is empty depends on the machine.
var defaultHost = Host{
	ShutdownTimeout: time.Minute,
	Reload:          Reload{Mode: ReloadAuto, Quiet: 300 * time.Millisecond, MaxRemoved: 50, MaxRestarted: 100},
	Restarts:        Restarts{Rate: 5},
	Logs:            LogsDir{MaxTotal: AutoSize, MinFree: AutoSize},
	Log:             HostLog{Level: "info", Format: "auto", MaxSize: 10 << 20, MaxFiles: 5},
}

// defaultTarget holds the built-in values of a log target.
var defaultTarget = LogTarget{Compress: CompressGzip, Spool: 256 << 20, Timeout: 10 * time.Second, Facility: "daemon"}

// minBurst is the least that restarts.burst: auto allows.
const minBurst = 30

// machineName is the default of host.name, with the characters that a folder can't have replaced.
func machineName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "host"
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '-'
		}
		return r
	}, name)
	if name = strings.Trim(name, ". "); name == "" {
		return "host"
	}
	return name
}

// fillHost replaces auto by what it stands for.
func (l *loader) fillHost(h *Host) {
	join := func(parts ...string) string { return strings.Join(parts, l.paths.separator()) }
	if h.StateDir == "" {
		switch {
		case !l.o.Managed:
			h.StateDir = join(l.dir, ".host")
		case l.paths.windows:
			root, ok := l.lookupEnv("ProgramData")
			if !ok || root == "" {
				root = `C:\ProgramData`
			}
			h.StateDir = join(root, "servicehost", h.Name)
		case l.platform == "darwin":
			h.StateDir = join("/Library/Application Support/servicehost", h.Name)
		default:
			h.StateDir = join("/var/lib/servicehost", h.Name)
		}
	}
	if h.Logs.Dir == "" {
		if l.o.Managed && !l.paths.windows && l.platform != "darwin" {
			h.Logs.Dir = join("/var/log/servicehost", h.Name)
		} else {
			h.Logs.Dir = join(h.StateDir, "logs")
		}
	}
	if h.Log.Path == "" && l.o.Managed {
		h.Log.Path = join(h.Logs.Dir, "host.log")
	}
}
