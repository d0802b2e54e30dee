package process

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	procPssCaptureSnapshot = kernel32.NewProc("PssCaptureSnapshot")
	procPssQuerySnapshot   = kernel32.NewProc("PssQuerySnapshot")
	procPssFreeSnapshot    = kernel32.NewProc("PssFreeSnapshot")
)

const (
	pssCaptureThreads         = 0x80
	pssQueryThreadInformation = 5
)

// pssThreadInformation is PSS_THREAD_INFORMATION.
type pssThreadInformation struct {
	threadsCaptured uint32
	contextLength   uint32
}

// snapshots is the system's way to look at one process: https://learn.microsoft.com/windows/win32/api/_proc_snap
// Of a process alone nothing else tells how many threads it has; the tool help looks at all there are.
type snapshots interface {
	capture(process windows.Handle, flags uint32) (snapshot uintptr, ok bool)
	query(snapshot uintptr, class uint32, into *pssThreadInformation) bool
	free(snapshot uintptr)
}

// threadsOf counts the threads of a process, 0 where that can't be known.
func threadsOf(process windows.Handle) int { return countThreads(processSnapshots{}, process) }

func countThreads(s snapshots, process windows.Handle) int {
	h, ok := s.capture(process, pssCaptureThreads)
	if !ok {
		return 0
	}
	defer s.free(h)
	var info pssThreadInformation
	if !s.query(h, pssQueryThreadInformation, &info) {
		return 0
	}
	return int(info.threadsCaptured)
}

// processSnapshots are those of Windows 8.1 and later. Wine has none.
type processSnapshots struct{}

func (processSnapshots) capture(process windows.Handle, flags uint32) (uintptr, bool) {
	if procPssCaptureSnapshot.Find() != nil || procPssQuerySnapshot.Find() != nil || procPssFreeSnapshot.Find() != nil {
		return 0, false
	}
	var h uintptr
	failed, _, _ := procPssCaptureSnapshot.Call(uintptr(process), uintptr(flags), 0, uintptr(unsafe.Pointer(&h)))
	return h, failed == 0
}

func (processSnapshots) query(h uintptr, class uint32, into *pssThreadInformation) bool {
	failed, _, _ := procPssQuerySnapshot.Call(h, uintptr(class), uintptr(unsafe.Pointer(into)), unsafe.Sizeof(*into))
	return failed == 0
}

func (processSnapshots) free(h uintptr) {
	procPssFreeSnapshot.Call(uintptr(windows.CurrentProcess()), h)
}
