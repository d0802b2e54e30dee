package metrics

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernel32                 = windows.NewLazySystemDLL("kernel32.dll")
	procGetProcessHandles    = kernel32.NewProc("GetProcessHandleCount")
	procGetProcessMemoryInfo = kernel32.NewProc("K32GetProcessMemoryInfo")
)

// memoryCounters is PROCESS_MEMORY_COUNTERS.
type memoryCounters struct {
	size, pageFaults                         uint32
	peakWorkingSet, workingSet               uintptr
	quotaPeakPagedPool, quotaPagedPool       uintptr
	quotaPeakNonPagedPool, quotaNonPagedPool uintptr
	pagefile, peakPagefile                   uintptr
}

func (s *self) system() {
	process := windows.CurrentProcess()
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(process, &created, &exited, &kernel, &user) == nil {
		s.cpu = 100 * time.Duration(ticks(kernel)+ticks(user))
	}
	var handles uint32
	if ok, _, _ := procGetProcessHandles.Call(uintptr(process), uintptr(unsafe.Pointer(&handles))); ok != 0 && handles > 0 { // Wine does not count
		s.handles = int64(handles)
	}
	m := memoryCounters{}
	m.size = uint32(unsafe.Sizeof(m))
	if ok, _, _ := procGetProcessMemoryInfo.Call(uintptr(process), uintptr(unsafe.Pointer(&m)), uintptr(m.size)); ok != 0 {
		s.resident = int64(m.workingSet)
	}
}

// ticks are the 100 ns units of a time span.
func ticks(t windows.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) }
