package spec

import "time"

// Spec is everything a set of files asks for, after includes, merging, profiles,
// variables and defaults: a value that is never changed once Load returned it.
type Spec struct {
	// Path is the absolute path of the first file, Dir its folder.
	Path string
	Dir  string
	// Hash identifies the effective content; two specs with the same hash run the same things.
	Hash string

	Host Host
	// Notify are the elements of `notify`; a change of them is of class live.
	Notify []Notifier
	// Services holds one element per instance, ordered by name and instance number.
	// Services outside the chosen profiles are absent; disabled ones are present.
	Services []*Service
}

// Host is the effective `host:` section. All paths are absolute.
type Host struct {
	Name            string        `key:"name" class:"next_start"`
	ShutdownTimeout time.Duration `key:"shutdown_timeout" class:"live"`
	Reload          Reload        `key:"reload"`
	Restarts        Restarts      `key:"restarts"`
	Log             HostLog       `key:"log"`
	Control         Control       `key:"control"`
	Logs            LogsDir       `key:"logs"`
	StateDir        string        `key:"state_dir" class:"next_start"`
	// EventLog is "true", "false", or empty for auto: under a service manager.
	EventLog string `key:"event_log" class:"next_start"`
	// LogTargets are where services can forward their output to, by name.
	LogTargets map[string]LogTarget `key:"log_targets" class:"live"`
	HTTP       HTTP                 `key:"http"`
}

// Reload says how edits of the files are taken.
type Reload struct {
	Mode         ReloadMode    `key:"mode" class:"live"`
	Quiet        time.Duration `key:"quiet" class:"live"`
	MaxRemoved   int           `key:"max_removed" class:"live"`   // percent of the running services
	MaxRestarted int           `key:"max_restarted" class:"live"` // percent of the running services
}

// ReloadMode is auto or manual.
type ReloadMode string

// The values of host.reload.mode.
const (
	ReloadAuto   ReloadMode = "auto"
	ReloadManual ReloadMode = "manual"
)

// Restarts is the governor over all automatic restarts of one host.
type Restarts struct {
	Rate  float64 `key:"rate" class:"live"`  // restarts per second
	Burst int     `key:"burst" class:"live"` // resolved: never zero
}

// HostLog is the log of the host itself.
type HostLog struct {
	Level    string `key:"level" class:"live"`        // debug info warn error
	Format   string `key:"format" class:"next_start"` // auto console json
	Path     string `key:"path" class:"next_start"`   // empty: standard error
	MaxSize  int64  `key:"max_size" class:"next_start"`
	MaxFiles int    `key:"max_files" class:"next_start"`
}

// Control says who may use the local control channel.
type Control struct {
	Group string `key:"group" class:"next_start"`
}

// LogsDir is where service logs lie unless a service says otherwise.
type LogsDir struct {
	Dir      string `key:"dir" class:"next_start"`
	MaxTotal int64  `key:"max_total" class:"live"` // bytes of rotated files of all services; 0: no limit; AutoSize: see its key
	MinFree  int64  `key:"min_free" class:"live"`  // bytes left free on the volume; 0: no limit; AutoSize: see its key
}

// AutoSize stands for a size that depends on the volume.
const AutoSize = -1

// Service is the effective spec of one instance of a service. All paths are absolute.
type Service struct {
	Name     string `class:"-" json:",omitzero"`
	Instance int    `class:"-" json:",omitzero"` // 1..Instances
	// ID is Name where Instances is 1, else Name.Instance.
	ID string `class:"-" json:",omitzero"`
	// Hash identifies everything below that is not of class none or scale.
	Hash string `class:"-" json:",omitzero"`

	Description string   `key:"description" class:"none" json:",omitzero"`
	Type        Type     `key:"type" class:"restart" json:",omitzero"`
	Enabled     bool     `key:"enabled" class:"live" json:",omitzero"`
	Profiles    []string `key:"profiles" class:"none" json:",omitzero"`
	Instances   int      `key:"instances" class:"scale" json:",omitzero"`

	// Command is the program and its arguments; Command[0] is as the file says it (resolved at start).
	// A placeholder AutoPort stands where ${PORT} of `port: auto` was used.
	Command []string `key:"command" class:"restart" json:",omitzero"` // command and args joined
	// CommandDir is the folder in which a relative Command[0] is looked for first: that of the file which
	// says it, or of the spec where Command[0] is a bare name. Empty where Command[0] is absolute.
	CommandDir string `class:"restart" json:",omitzero"`
	RawArgs    string `key:"raw_args" class:"restart" json:",omitzero"`
	Dir        string `key:"dir" class:"restart" json:",omitzero"`
	InheritEnv bool   `key:"inherit_env" class:"restart" json:",omitzero"`
	// Env is env of the file, defaults.env, env_file and env of the service, merged; nil removes a variable.
	Env map[string]*string `key:"env" class:"restart" json:",omitzero"`
	// EnvFile lists the files whose content is merged into Env; the names of variables that came from
	// a file are in EnvFromFile, whose values no output may show.
	EnvFile     []string        `key:"env_file" class:"none" json:",omitzero"`
	EnvFromFile map[string]bool `class:"-" json:",omitzero"`

	User  string `key:"user" class:"restart" json:",omitzero"`
	Group string `key:"group" class:"restart" json:",omitzero"`

	// Password is where the password of User is; Windows only.
	Password        *Secret `key:"password" class:"restart" json:",omitzero"`
	Session         Session `key:"session" class:"restart" json:",omitzero"`
	RestrictedToken bool    `key:"restricted_token" class:"restart" json:",omitzero"`
	Integrity       string  `key:"integrity" class:"restart" json:",omitzero"` // low, medium; empty: that of the user

	// Port is the PORT of this instance (port + instance - 1); 0: none; PortAuto: a free one per run.
	Port int `key:"port" class:"restart" json:",omitzero"`

	// DependsOn names services that are in the spec and enabled: those that are not, and are not
	// required, were left out.
	DependsOn        map[string]Dependency `key:"depends_on" class:"live" json:",omitzero"`
	Restart          Restart               `key:"restart" json:",omitzero"`
	SuccessExitCodes []int                 `key:"success_exit_codes" class:"live" json:",omitzero"`
	Stop             Stop                  `key:"stop" json:",omitzero"`
	Log              Log                   `key:"log" json:",omitzero"`
	MaxRuntime       time.Duration         `key:"max_runtime" class:"live" json:",omitzero"`
	Track            Track                 `key:"track" class:"restart" json:",omitzero"`
	Limits           Limits                `key:"limits" json:",omitzero"`
	// Priority is a nice value: -20 (most) to 19 (least).
	Priority       int    `key:"priority" class:"restart" json:",omitzero"`
	Affinity       []int  `key:"affinity" class:"restart" json:",omitzero"` // logical CPUs, ascending; empty: all
	AllowBreakaway bool   `key:"allow_breakaway" class:"restart" json:",omitzero"`
	ErrorReporting bool   `key:"error_reporting" class:"restart" json:",omitzero"`
	Watch          Watch  `key:"watch" json:",omitzero"`
	Health         Health `key:"health" json:",omitzero"`
	Update         Update `key:"update" json:",omitzero"`
	// Thresholds are watched, not enforced.
	Thresholds []Threshold `key:"thresholds" class:"live" json:",omitzero"`
	Hooks      Hooks       `key:"hooks" json:",omitzero"`
	// OnChange is nil for a restart.
	OnChange *OnChange `key:"on_change" class:"live" json:",omitzero"`
	// Config identifies what x-config holds; empty: nothing.
	Config string `class:"restart" json:",omitzero"`
	// Schedule is that of a service of type scheduled, else zero but for defaults.
	Schedule Schedule `key:"schedule" json:",omitzero"`
	Requires Requires `key:"requires" json:",omitzero"`
	// Binary is what the watched files hold; Load leaves it empty.
	Binary Binary `class:"restart" json:",omitzero"`
}

// Secret says where a secret is found; one of its fields is set. Paths are absolute.
type Secret struct {
	File       string   `json:",omitzero"`
	Env        string   `json:",omitzero"` // name of a variable in the environment of the host
	Exec       []string `json:",omitzero"`
	DPAPI      string   `json:",omitzero"` // file with what host secret protect wrote
	Credential string   `json:",omitzero"` // name in the Credential Manager
}

// Session says on whose desktop a service runs.
type Session string

// The values of session.
const (
	SessionService Session = ""
	SessionUser    Session = "user"
)

// Limits bound the whole tree of a service; 0 is no limit.
type Limits struct {
	Memory    int64 `key:"memory" class:"restart" json:",omitzero"` // bytes
	CPU       int   `key:"cpu" class:"restart" json:",omitzero"`    // percent of one core
	Processes int   `key:"processes" class:"restart" json:",omitzero"`
	OpenFiles int   `key:"open_files" class:"restart" json:",omitzero"` // of each process
	// Action is empty where Memory is 0.
	Action LimitAction `key:"action" class:"live" json:",omitzero"`
}

// LimitAction says what follows a reached memory limit.
type LimitAction string

// The values of limits.action.
const (
	LimitRestart LimitAction = "restart"
	LimitLog     LimitAction = "log"
)

// Watch says which files a service is restarted for. Quiet is 0 where nothing is watched.
type Watch struct {
	Paths      []string      `key:"paths" class:"live" json:",omitzero"` // absolute
	Quiet      time.Duration `key:"quiet" class:"live" json:",omitzero"`
	ShadowCopy bool          `key:"shadow_copy" class:"restart" json:",omitzero"`
}

// Update says how a change is rolled out.
type Update struct {
	Order         UpdateOrder   `key:"order" class:"live" json:",omitzero"`
	Parallelism   int           `key:"parallelism" class:"live" json:",omitzero"`
	Timeout       time.Duration `key:"timeout" class:"live" json:",omitzero"`
	Monitor       time.Duration `key:"monitor" class:"live" json:",omitzero"`
	FailureAction FailureAction `key:"failure_action" class:"live" json:",omitzero"`
	// SharedPort says that two processes of one instance may listen on its fixed port at the same time.
	SharedPort bool `key:"shared_port" class:"live" json:",omitzero"`
}

// UpdateOrder says whether the old run ends before the new one begins.
type UpdateOrder string

// The values of update.order.
const (
	StopFirst  UpdateOrder = "stop_first"
	StartFirst UpdateOrder = "start_first"
)

// FailureAction says what follows when a changed instance does not become, or stay, ready.
type FailureAction string

// The values of update.failure_action.
const (
	FailureRollback FailureAction = "rollback"
	FailurePause    FailureAction = "pause"
	FailureContinue FailureAction = "continue"
)

// On reports whether anything is watched.
func (w Watch) On() bool { return w.ShadowCopy || len(w.Paths) > 0 }

// PortAuto is Service.Port for `port: auto`; AutoPort is what ${PORT} became in its strings,
// to be replaced at each start.
const (
	PortAuto = -1
	AutoPort = "\x00PORT\x00"
)

// Type is the kind of a service.
type Type string

// The values of type.
const (
	TypeService   Type = "service"
	TypeOneshot   Type = "oneshot"
	TypeScheduled Type = "scheduled"
)

// Track says what keeps a run up: its main process, or anything in its tree.
type Track string

// The values of track.
const (
	TrackMain Track = "main"
	TrackTree Track = "tree"
)

// Dependency is one entry of depends_on.
type Dependency struct {
	Condition Condition `key:"condition" class:"live" json:",omitzero"`
	Required  bool      `key:"required" class:"live" json:",omitzero"`
	// Restart has the service restarted when the run that it depends on was replaced by another.
	Restart bool `key:"restart" class:"live" json:",omitzero"`
}

// Condition is what a dependency must have reached.
type Condition string

// The values of depends_on.X.condition.
const (
	ConditionStarted   Condition = "started"
	ConditionHealthy   Condition = "healthy"
	ConditionCompleted Condition = "completed"
)

// Restart is the restart policy of a service.
type Restart struct {
	Policy     RestartPolicy `key:"policy" class:"live" json:",omitzero"`
	Delay      time.Duration `key:"delay" class:"live" json:",omitzero"`
	Factor     float64       `key:"factor" class:"live" json:",omitzero"`
	MaxDelay   time.Duration `key:"max_delay" class:"live" json:",omitzero"`
	Jitter     float64       `key:"jitter" class:"live" json:",omitzero"`
	ResetAfter time.Duration `key:"reset_after" class:"live" json:",omitzero"`
	Limit      int           `key:"limit" class:"live" json:",omitzero"`
	Window     time.Duration `key:"window" class:"live" json:",omitzero"`
	RetryAfter time.Duration `key:"retry_after" class:"live" json:",omitzero"`
}

// RestartPolicy says which exits are followed by a restart.
type RestartPolicy string

// The values of restart.policy.
const (
	RestartAlways    RestartPolicy = "always"
	RestartOnFailure RestartPolicy = "on-failure"
	RestartNo        RestartPolicy = "no"
)

// Stop says how a run is ended.
type Stop struct {
	Steps   []Step        `key:"steps" class:"live" json:",omitzero"`
	Delay   time.Duration `key:"delay" class:"live" json:",omitzero"`
	Timeout time.Duration `key:"timeout" class:"live" json:",omitzero"`
}

// Step is one rung of the stop ladder. Do is, on Unix, a signal name with SIG ("SIGTERM") or
// "stdin_close"; on Windows "ctrl_c", "ctrl_break", "close" or "stdin_close"; "action" on both.
// Names of the other system are mapped by Load. Timeout 0: wait as long as stop.timeout allows
// (shared evenly with the steps behind it).
type Step struct {
	Do      string        `json:",omitzero"`
	Action  *Action       `json:",omitzero"`
	Timeout time.Duration `json:",omitzero"`
}

// Action is something done beside a service: a program run, or an HTTP request.
type Action struct {
	Exec          []string      `json:",omitzero"` // argv, or
	HTTP          string        `json:",omitzero"` // "METHOD URL"
	Timeout       time.Duration `json:",omitzero"`
	IgnoreFailure bool          `json:",omitzero"`
}

// Log says where output goes and how it is rotated.
type Log struct {
	Path     string        `key:"path" class:"live" json:",omitzero"`
	Stderr   string        `key:"stderr" class:"restart" json:",omitzero"` // empty: one pipe, order kept
	MaxSize  int64         `key:"max_size" class:"live" json:",omitzero"`  // bytes, 0 = no limit
	MaxFiles int           `key:"max_files" class:"live" json:",omitzero"` // rotated files kept, the current one not counted
	MaxAge   time.Duration `key:"max_age" class:"live" json:",omitzero"`
	Compress Compression   `key:"compress" class:"live" json:",omitzero"`
	// Encoding is the name of the output's encoding, lower case; empty for auto.
	Encoding   string    `key:"encoding" class:"live" json:",omitzero"`
	Rotate     Rotation  `key:"rotate" class:"live" json:",omitzero"`
	RotateZone Zone      `key:"rotate_zone" class:"live" json:",omitzero"`
	Format     LogFormat `key:"format" class:"live" json:",omitzero"`
	// Multiline is a regular expression: a line that it matches belongs to the one before. Empty: none.
	Multiline string `key:"multiline" class:"live" json:",omitzero"`
	ANSI      ANSI   `key:"ansi" class:"live" json:",omitzero"`
	// MaxLine is in bytes; 0: not set, which is DefaultMaxLine but in raw files, whose lines are kept whole.
	MaxLine int64 `key:"max_line" class:"live" json:",omitzero"`
	// Rate is how many lines per second are kept, 0: all.
	Rate float64 `key:"rate" class:"live" json:",omitzero"`
	// Forward names elements of Host.LogTargets.
	Forward []string `key:"forward" class:"live" json:",omitzero"`
}

// DefaultMaxLine is log.max_line where records are made of lines and nothing else is said, in bytes.
const DefaultMaxLine = 64 << 10

// Rotation is a time at which logs are rotated, whatever their size.
type Rotation string

// The values of log.rotate.
const (
	RotateNever  Rotation = ""
	RotateHourly Rotation = "hourly"
	RotateDaily  Rotation = "daily"
)

// Zone says whose hours and days are meant.
type Zone string

// The values of log.rotate_zone.
const (
	ZoneLocal Zone = ""
	ZoneUTC   Zone = "utc"
)

// LogFormat is how lines are written.
type LogFormat string

// The values of log.format.
const (
	FormatRaw  LogFormat = "" // as they come
	FormatText LogFormat = "text"
	FormatJSON LogFormat = "json"
)

// ANSI says what becomes of escape sequences.
type ANSI string

// The values of log.ansi.
const (
	ANSIKeep  ANSI = ""
	ANSIStrip ANSI = "strip"
)

// LogTarget is a receiver of output.
type LogTarget struct {
	Type    TargetType        `key:"type" json:",omitzero"`
	URL     string            `key:"url" json:",omitzero"`
	Headers map[string]string `key:"headers" json:",omitzero"`
	Labels  map[string]string `key:"labels" json:",omitzero"`
	// Token is sent as a bearer token, User and Password as basic authentication.
	Token    *Secret   `key:"token" json:",omitzero"`
	User     string    `key:"user" json:",omitzero"`
	Password *Secret   `key:"password" json:",omitzero"`
	TLS      TargetTLS `key:"tls" json:",omitzero"`
	// Compress is gzip or none; of requests over HTTP.
	Compress Compression `key:"compress" json:",omitzero"`
	// Spool bounds what is kept on disk while the target is away, in bytes.
	Spool   int64         `key:"spool" json:",omitzero"`
	Timeout time.Duration `key:"timeout" json:",omitzero"` // of one request or connection attempt
	// Facility is that of syslog, by number.
	Facility string `key:"facility" json:",omitzero"`
}

// TargetType is the protocol of a target.
type TargetType string

// The values of log_targets.*.type.
const (
	TargetOTLP   TargetType = "otlp"
	TargetLoki   TargetType = "loki"
	TargetSyslog TargetType = "syslog"
	TargetJSON   TargetType = "json"
)

// TargetTLS is how a target is trusted and convinced; paths are absolute or empty.
type TargetTLS struct {
	CA         string `key:"ca" json:",omitzero"`
	Cert       string `key:"cert" json:",omitzero"`
	Key        string `key:"key" json:",omitzero"`
	ServerName string `key:"server_name" json:",omitzero"`
	Insecure   bool   `key:"insecure" json:",omitzero"`
}

// Compression of rotated files.
type Compression string

// The values of log.compress.
const (
	CompressNone Compression = "none"
	CompressGzip Compression = "gzip"
	CompressZstd Compression = "zstd"
)
