//go:build freebsd || netbsd || openbsd || dragonfly

package process

import "syscall"

// peakOf is what an ended process had resident at most; the BSDs count it in KiB.
func peakOf(used *syscall.Rusage) int64 { return int64(used.Maxrss) << 10 }
