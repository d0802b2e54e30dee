// Package process starts, stops and watches the process trees of runs. It knows nothing of policy:
// what is started when, and what an exit means, is decided above it.
//
// The Backend interface is a seam: every value in it could travel over a pipe to another process that
// holds the children. So requests carry names and numbers, never handles or callbacks, and nothing
// above takes the end of a pipe for the end of a service.
package process

import (
	"fmt"
	"time"
)

// RunID names one run of one instance. It is chosen before the process is started.
// Task is empty for the service itself and names the errand otherwise (an action of a stop ladder, a hook).
type RunID struct {
	Service     string `json:"service"`
	Instance    int    `json:"instance"`
	Incarnation uint64 `json:"incarnation"`
	Task        string `json:"task,omitempty"`
}

// String is the form used in logs: api.2#17 or api.2#17/stop.1.
func (r RunID) String() string {
	s := fmt.Sprintf("%s.%d#%d", r.Service, r.Instance, r.Incarnation)
	if r.Task != "" {
		s += "/" + r.Task
	}
	return s
}

// Request says what to run. It must not be changed after Start.
type Request struct {
	// Path is the absolute path of the executable, Args the whole argv with Args[0].
	Path string   `json:"path"`
	Args []string `json:"args"`
	// RawArgs is appended verbatim to the command line on Windows; elsewhere it must be empty.
	RawArgs string `json:"raw_args,omitempty"`
	Dir     string `json:"dir"` // absolute, must exist
	// Env is the whole environment, NAME=value, no duplicates. The backend adds HOST_RUN.
	Env   []string `json:"env"`
	User  string   `json:"user,omitempty"`
	Group string   `json:"group,omitempty"`
	// Stdin asks for a pipe that the step stdin_close closes; otherwise stdin is the null device.
	Stdin bool `json:"stdin,omitempty"`
	// StdinFile is the absolute path of a file that is stdin instead; the tree may read it as long as it runs.
	StdinFile string `json:"stdin_file,omitempty"`
	// SplitStderr gives stderr a stream of its own; otherwise both share one pipe and keep their order.
	SplitStderr bool `json:"split_stderr,omitempty"`
	// Password signs in User on Windows where the account needs one. It says where the password is, not what.
	Password *Secret `json:"password,omitempty"`
	// RestrictedToken takes every privilege away, Integrity ("low", "medium") lowers what the tree may
	// write to; Windows only. On Linux RestrictedToken is no_new_privs.
	RestrictedToken bool   `json:"restricted_token,omitempty"`
	Integrity       string `json:"integrity,omitempty"`
	// UserSession starts it on the desktop of the signed-in user; Windows only.
	UserSession bool `json:"user_session,omitempty"`
	// AccountEnv replaces Env for a run that is of another user than this process; Windows only.
	AccountEnv *AccountEnv `json:"account_env,omitempty"`
	Limits     Limits      `json:"limits,omitzero"`
	// Nice is -20 (most) to 19 (least); Windows maps it to the next priority class.
	Nice int `json:"nice,omitempty"`
	// Affinity lists the logical CPUs it may run on; empty: all.
	Affinity []int `json:"affinity,omitempty"`
	// AllowBreakaway lets processes of the tree leave it on purpose; Windows only.
	AllowBreakaway bool `json:"allow_breakaway,omitempty"`
	// ErrorDialogs leaves unhandled exceptions to Windows error reporting instead of ending the process.
	ErrorDialogs bool `json:"error_dialogs,omitempty"`
	// WholeTree keeps the run up while anything of its tree runs (track: tree). Otherwise the rest of
	// the tree is killed as soon as the main process has ended, before it is reaped.
	WholeTree bool `json:"whole_tree,omitempty"`
}

// AccountEnv is what a spec makes of the environment that the system gives to an account. That of this
// process is of another user: its folders and settings would be wrong.
type AccountEnv struct {
	Set   []string `json:"set,omitempty"`   // NAME=value, laid over
	Unset []string `json:"unset,omitempty"` // names to leave out
	Only  []string `json:"only,omitempty"`  // where not empty: the names that are taken over at all
}

// Limits of a whole tree; 0 is none.
type Limits struct {
	Memory    int64 `json:"memory,omitempty"` // bytes: committed on Windows, charged to the cgroup on Linux
	CPU       int   `json:"cpu,omitempty"`    // percent of one core
	Processes int   `json:"processes,omitempty"`
	OpenFiles int   `json:"open_files,omitempty"` // of each process; Unix only
}

// Secret says where a secret is found. The backend asks Options.Secret for it when it is needed.
type Secret struct {
	From string   `json:"from"` // file, env, exec, dpapi or credential
	Name string   `json:"name,omitempty"`
	Exec []string `json:"exec,omitempty"`
}

// Identity confirms which process a run is: a PID alone can be reused.
type Identity struct {
	PID int `json:"pid"`
	// Created is the creation time in the unit of the system (Linux: clock ticks since boot; Windows: FILETIME); only compared.
	Created int64 `json:"created"`
}

// Exit is how the main process of a run ended.
type Exit struct {
	Code   int       `json:"code"`             // exit code; 128+n where Signal is set. Windows: the uint32 as it is
	Signal string    `json:"signal,omitempty"` // SIGKILL …; Unix only
	Core   bool      `json:"core,omitempty"`
	At     time.Time `json:"at"`
	// PeakMemory is the highest that the run used, in bytes, 0 where the system does not tell: what the limit on
	// memory counts where there is one (Linux) and of the job (Windows), else what the main process had resident.
	PeakMemory int64 `json:"peak_memory,omitempty"`
}

// Run is one entry of List.
type Run struct {
	ID       RunID    `json:"id"`
	Identity Identity `json:"identity"`
	// Exit is set once the main process has ended; Gone once nothing of the tree is left.
	Exit *Exit `json:"exit,omitempty"`
	Gone bool  `json:"gone,omitempty"`
}

// EventKind says what happened to a run.
type EventKind string

// The kinds of events. For each started run exactly one Exited comes, then exactly one Gone.
const (
	Exited EventKind = "exited" // the main process has ended
	Gone   EventKind = "gone"   // nothing of the tree is left; everything is reaped
	// LimitHit tells, before Gone and at most once a second for each limit, that the tree ran into one.
	LimitHit EventKind = "limit"
)

// Event is one element of the event stream. Exit is set where it exited or is gone.
type Event struct {
	Kind EventKind `json:"kind"`
	Run  RunID     `json:"run"`
	Exit Exit      `json:"exit"`
	// Limit is memory or processes, for LimitHit. Killed tells that the system ended a process for it.
	Limit  string `json:"limit,omitempty"`
	Killed bool   `json:"killed,omitempty"`
}

// Usage is what the tree of a run uses now. Fields of the second group are filled in by a full look only; 0 is unknown.
type Usage struct {
	CPU       time.Duration `json:"cpu"`    // total so far; includes ended members where the system counts them
	Memory    int64         `json:"memory"` // bytes: resident on Unix, private on Windows
	Processes int           `json:"processes"`
	Threads   int           `json:"threads,omitempty"`

	Resident   int64 `json:"resident,omitempty"`    // working set on Windows
	Private    int64 `json:"private,omitempty"`     // bytes that belong to the tree alone
	PSS        int64 `json:"pss,omitempty"`         // shared pages divided by their users; Linux
	PeakMemory int64 `json:"peak_memory,omitempty"` // highest of the run where the system counts it
	Handles    int   `json:"handles,omitempty"`     // file descriptors on Unix
	ReadBytes  int64 `json:"read_bytes,omitempty"`  // total so far
	WriteBytes int64 `json:"write_bytes,omitempty"` // total so far
}

// Stream is one of the outputs of a run.
type Stream uint8

// The streams. Without SplitStderr everything arrives on Stdout.
const (
	Stdout Stream = 1
	Stderr Stream = 2
)

// Output is the receiving end of one stream.
type Output interface {
	// Copy hands all that arrives to sink until the stream ends (nil), Close is called (nil) or it
	// breaks. The slice is valid only during the call. No buffer is held while nothing arrives.
	// At most one Copy runs at a time.
	Copy(sink func([]byte)) error
	// Close ends Copy soon. Opening the output again goes on behind the last byte handed out.
	Close() error
}

// Backend starts and ends trees. All methods may be called from any goroutine and none waits for a child.
type Backend interface {
	// Start returns once the process exists. Called again with a RunID that was started and not
	// acknowledged it returns the same Identity and starts nothing. Errors are *Error.
	Start(id RunID, r Request) (Identity, error)
	// StopStep sends one rung of a stop ladder to the whole group (a signal name with SIG, ctrl_c,
	// ctrl_break, close, and wm_quit for what a close did not end) or closes the child's stdin (stdin_close).
	// A run that has ended is no error. It may take as long as a helper process does: some tenths of a second.
	StopStep(id RunID, do string) error
	// KillTree ends the whole tree by force. Gone follows. Calling it again tries again.
	KillTree(id RunID) error
	// List returns every run that is not acknowledged.
	List() []Run
	// Ack forgets a run that is Gone, with its outputs. Before Gone it does nothing.
	Ack(id RunID)
	// Usage of the whole tree; an error when it is unknown here or the run is not there. A full look costs several times
	// of what the other does.
	Usage(id RunID, full bool) (Usage, error)
	// OpenOutput returns the given stream of a run, from the first byte not handed out yet.
	OpenOutput(id RunID, s Stream) (Output, error)
	// Events returns the one event stream. It is never closed before Close and never blocks the backend.
	Events() <-chan Event
	// Close kills every tree that is left, waits until they are gone (bounded) and frees everything.
	Close() error
}

// ErrKind classifies an Error so that a caller can decide without parsing words.
type ErrKind string

// The kinds of errors.
const (
	ErrNotFound    ErrKind = "not_found"   // executable or folder does not exist
	ErrPermission  ErrKind = "permission"  // exists, may not be used
	ErrFormat      ErrKind = "format"      // exists, is no program for this machine
	ErrUser        ErrKind = "user"        // user or group unknown or not usable
	ErrResources   ErrKind = "resources"   // out of processes, memory, descriptors: worth another try
	ErrUnsupported ErrKind = "unsupported" // this system can't do that
	ErrNoRun       ErrKind = "no_run"      // no such run
	ErrNoSession   ErrKind = "no_session"  // nobody is signed in: worth another try once somebody is
	ErrOther       ErrKind = "other"
)

// Error is every error of a Backend: data, so that it survives encoding.
type Error struct {
	Kind    ErrKind `json:"kind"`
	Message string  `json:"message"` // a cause in words: `executable "app" not found in /srv`
	Hint    string  `json:"hint,omitempty"`
}

func (e *Error) Error() string { return e.Message }
