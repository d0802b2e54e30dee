//go:build unix && !linux && !darwin

package requires

func systemVersion() string { return kernelVersion() }
