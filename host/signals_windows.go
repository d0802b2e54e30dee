package host

import (
	"strings"

	"servicehost/spec"
)

// signalFor is the name that the process backend knows for what an operator typed. A kill is no stop step
// here, but it can be asked for by hand.
func signalFor(name string) (string, error) {
	if n := strings.ToUpper(name); n == "KILL" || n == "SIGKILL" {
		return "SIGKILL", nil
	}
	return spec.StepFor(name, true)
}
