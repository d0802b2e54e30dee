//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package process

import "golang.org/x/sys/unix"

func ownExe(exe string) string { return exe }

// These systems have no call for it, or none that Go knows.
func setAffinity([]int) error { return unix.ENOSYS }
func noNewPrivs() error       { return unix.ENOSYS }

// followParent: these systems have no parent-death signal.
func followParent(int) error { return nil }
