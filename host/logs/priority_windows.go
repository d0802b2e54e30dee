package logs

import (
	"runtime"

	"golang.org/x/sys/windows"
)

var setThreadPriority = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetThreadPriority")

// lowerPriority ties the calling goroutine to its thread and puts that behind everything else, for
// processor and disk. It is not undone: the thread ends with the goroutine.
func lowerPriority() {
	runtime.LockOSThread()
	const backgroundBegin = 0x00010000 // THREAD_MODE_BACKGROUND_BEGIN
	_, _, _ = setThreadPriority.Call(uintptr(windows.CurrentThread()), backgroundBegin)
}
