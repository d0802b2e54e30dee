// Package osservice installs the host as a service of the operating system, controls it there, and
// speaks with the service manager while the host runs under it: the SCM, systemd or launchd.
package osservice

import (
	"context"
	"fmt"
	"time"
)

// DefaultName is the name of the OS service where none is given.
const DefaultName = "servicehost"

// StartType says when the service manager starts the service.
type StartType string

// The start types. Delayed is Windows only; elsewhere it is Auto.
const (
	StartAuto     StartType = "auto"
	StartDelayed  StartType = "delayed"
	StartManual   StartType = "manual"
	StartDisabled StartType = "disabled"
)

// Config is everything that Install asks the service manager for.
type Config struct {
	Name        string
	DisplayName string
	Description string
	// Exe is the absolute path of the host, Args what stands behind it.
	Exe  string
	Args []string
	// Dir is the folder of the spec, the working folder where the manager has one.
	Dir   string
	Start StartType
	// Account is empty for LocalSystem or root; else LocalService, NetworkService, NT SERVICE\name,
	// DOMAIN\gmsa$, DOMAIN\user, or a user of Unix. Password belongs to DOMAIN\user alone.
	Account  string
	Password string
	// Dependencies are services of the manager that must run first.
	Dependencies []string
	// Privileges are the ones that the process keeps, and its children with it. Nil is the shortest list
	// that the features of the host need, empty all that the account has. Windows only.
	Privileges []string
	// StopBudget is how long the host may take to stop everything, its margin included.
	StopBudget time.Duration
}

// Result is what Install did.
type Result struct {
	Created bool
	// Changed lists what an update changed, in words: "start type: manual → auto". Empty: it was so already.
	Changed []string
	// Warnings are parts that this system can't do, in words.
	Warnings []string
}

// State is the state of an installed service in the words of all managers.
type State string

// The states. Failed is an end with an error that nobody has looked at.
const (
	Stopped  State = "stopped"
	Starting State = "starting"
	Running  State = "running"
	Stopping State = "stopping"
	Paused   State = "paused"
	Failed   State = "failed"
)

// Status is what the service manager says of an installed service.
type Status struct {
	Name    string    `json:"name"`
	State   State     `json:"state"`
	PID     int       `json:"pid,omitempty"`
	Start   StartType `json:"start"`
	Account string    `json:"account,omitempty"`
	Command string    `json:"command,omitempty"` // as the manager has it; see Words
	// ExitCode is that of the last end, where the manager keeps it.
	ExitCode int    `json:"exit_code"`
	Detail   string `json:"detail,omitempty"` // the manager's own words: STATUS= of systemd, the win32 error
}

// NotInstalled is the error for a service that the manager does not know.
type NotInstalled struct{ Name string }

func (e *NotInstalled) Error() string {
	return fmt.Sprintf("service %q is not installed; install it with: host install", e.Name)
}

// Installer is the service manager of this system. All methods wait until the manager has done what it
// was asked for, or ctx ends. Errors are in words, with a hint, and name the service.
type Installer interface {
	// Install creates the service or changes an installed one to what c says. It does not start it.
	Install(ctx context.Context, c Config) (Result, error)
	// Uninstall stops the service and removes it; a service that is not there is *NotInstalled.
	Uninstall(ctx context.Context, name string) error
	// Start of a started service and Stop of a stopped one do nothing.
	Start(ctx context.Context, name string) error
	Stop(ctx context.Context, name string) error
	Status(ctx context.Context, name string) (Status, error)
}
