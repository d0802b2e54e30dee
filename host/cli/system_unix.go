//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// systemSpec is where an installed host finds its spec.
func systemSpec() string { return "/etc/servicehost/" + specName }

// enableColors reports whether a terminal takes escape sequences.
func enableColors(*os.File) bool { return os.Getenv("TERM") != "dumb" }

// surviveClosedOutput keeps a host alive whose output went into a pipe that is closed now. The signal
// is taken rather than ignored, as children would inherit that it is ignored.
func surviveClosedOutput() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}
