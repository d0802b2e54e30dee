// Command host keeps the processes of a services.yaml running, on Windows and Linux.
package main

import (
	"os"

	"servicehost/host/cli"
	"servicehost/host/process"
	"servicehost/host/thresholds"
)

// version is that of the release; the build sets it with -ldflags "-X main.version=1.2.3".
var version string

func main() {
	// The guard and other short-lived helpers are this program too, and must not pay for the rest.
	if handled, code := process.HelperMain(os.Args[1:]); handled {
		os.Exit(code)
	}
	if handled, code := thresholds.HelperMain(os.Args[1:]); handled {
		os.Exit(code)
	}
	os.Exit(cli.Execute(cli.Program{Version: version, Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr}))
}
