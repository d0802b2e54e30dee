//go:build unix

package logs

import "golang.org/x/sys/unix"

const (
	errDiskFull = unix.ENOSPC
	diskSeeds   = 200
)
