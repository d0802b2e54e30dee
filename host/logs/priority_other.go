//go:build !linux && !windows

package logs

// lowerPriority does nothing where threads have no priority of their own.
func lowerPriority() {}
