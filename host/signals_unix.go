//go:build unix

package host

import "servicehost/spec"

// signalFor is the name that the process backend knows for what an operator typed.
func signalFor(name string) (string, error) { return spec.StepFor(name, false) }
