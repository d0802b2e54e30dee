package process

import "syscall"

// peakOf is what an ended process had resident at most; macOS counts it in bytes.
func peakOf(used *syscall.Rusage) int64 { return used.Maxrss }
