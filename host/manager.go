package host

import "time"

// Manager is the OS service manager as a running host sees it. Methods return at once and may be called
// from any goroutine. A host in the foreground has none.
type Manager interface {
	// Ready is called once, when the services were handed their targets and the control channel answers.
	Ready()
	// Reloading and Reloaded enclose the taking in of an edit.
	Reloading()
	Reloaded()
	// Status is one line on what the host does or is, for the manager's own status.
	Status(line string)
	// Budget is how long a stop of everything may take now, told at start and whenever an edit changes it.
	Budget(d time.Duration)
	// Stopping is called when the stop begins, Progress whenever a service has ended meanwhile.
	Stopping(budget time.Duration)
	Progress(left int)
	// Alive is called as long as the host's own loops answer, at least as often as WatchdogInterval asks.
	Alive()
	// WatchdogInterval is how often Alive is wanted; 0: not at all.
	WatchdogInterval() time.Duration
}

// Control is something that the service manager asks of a running host. A stop is the end of the context.
type Control string

// The controls.
const (
	ControlReload  Control = "reload"  // PARAMCHANGE
	ControlRotate  Control = "rotate"  // user control 128
	ControlDump    Control = "dump"    // user control 129: write the state of everything into the logs folder
	ControlSession Control = "session" // somebody signed in or out
	ControlResume  Control = "resume"  // the machine woke up
)
