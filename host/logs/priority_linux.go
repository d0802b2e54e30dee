package logs

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// lowerPriority ties the calling goroutine to its thread and puts that behind everything else, for
// processor and disk. It is not undone: the thread ends with the goroutine.
func lowerPriority() {
	runtime.LockOSThread()
	const (
		whoProcess = 1
		bestEffort = 2 << 13
		lowest     = 7
	)
	// On Linux both mean the calling thread. Where it isn't allowed, compression runs as everything does.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 19)
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, whoProcess, 0, bestEffort|lowest)
}
