//go:build !windows

package spec

// systemDrives is nil: there are no drives here.
var systemDrives func(letter string) drive
