//go:build !windows

package spec

// foldName is the form of a file name that is compared with a pattern.
func foldName(s string) string { return s }
