package cli

import (
	"context"
	"errors"

	"servicehost/host"
	"servicehost/host/control"
	"servicehost/host/osservice"
)

// The exit codes of all commands. What 2 and 3 mean depends on the command, as its help says.
const (
	exitOK           = 0
	exitFailed       = 1
	exitInvalid      = 2   // run, reload: the spec was refused
	exitChanges      = 2   // plan: there is something to do
	exitRolledBack   = 3   // reload: something went back to what worked
	exitNotAsDesired = 3   // status: somebody should look
	exitNoHost       = 4   // no host is running, or not the one that is meant
	exitInterrupted  = 130 // Ctrl-C during a wait
	exitTerminated   = 143 // SIGTERM during a wait
)

// exit is the result of a command that has said all there is to say, apart from its code.
type exit struct{ code int }

func (e *exit) Error() string { return "done" }

// stopped is the cause for which a signal ends a command.
type stopped struct{ code int }

func (e *stopped) Error() string { return "interrupted" }

// exitCode is the one place where the result of a command becomes an exit code.
func exitCode(ctx context.Context, err error) int {
	var (
		done    *exit
		none    *control.NoHostError
		service *osservice.NotInstalled
		invalid *host.InvalidSpec
		signal  *stopped
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &done):
		return done.code
	case errors.As(err, &none), errors.As(err, &service), errors.Is(err, control.ErrGone):
		return exitNoHost
	case errors.As(err, &invalid):
		return exitInvalid
	case errors.Is(err, context.Canceled) && errors.As(context.Cause(ctx), &signal):
		return signal.code
	default:
		return exitFailed
	}
}

// exits is the part of a command's help that lists its exit codes.
func exits(lines ...string) string {
	text := "\n\nExit codes:\n"
	for _, l := range lines {
		text += "  " + l + "\n"
	}
	return text
}
