package process

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procGetProcessMemoryInfo = kernel32.NewProc("K32GetProcessMemoryInfo")

// memoryCounters is PROCESS_MEMORY_COUNTERS_EX.
type memoryCounters struct {
	size, pageFaults                         uint32
	peakWorkingSet, workingSet               uintptr
	quotaPeakPagedPool, quotaPagedPool       uintptr
	quotaPeakNonPagedPool, quotaNonPagedPool uintptr
	pagefile, peakPagefile                   uintptr
	private                                  uintptr
}

func (b *backend) Usage(id RunID, _ bool) (Usage, error) {
	u, err := b.find(id)
	if err != nil {
		return Usage{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.job == 0 || u.gone {
		return Usage{}, &Error{Kind: ErrNoRun, Message: fmt.Sprintf("run %s is over", id)}
	}
	a, err := jobAccounting(u.job)
	if err != nil {
		return Usage{}, &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot ask the job of run %s: %v", id, err)}
	}
	use := Usage{CPU: a.cpu()}
	var cpu time.Duration
	for _, pid := range jobPIDs(u.job) {
		m := member{pid, u.process}
		if int(pid) != u.ident.PID {
			var ok bool
			if m, ok = openMember(u.job, pid); !ok {
				continue
			}
		}
		use.Memory += privateBytes(m.handle)
		cpu += processCPU(m.handle)
		if int(pid) == u.ident.PID {
			use.Processes++
			continue
		}
		if !consoleHost(m.handle) {
			use.Processes++
		}
		windows.CloseHandle(m.handle)
	}
	use.CPU = max(use.CPU, cpu) // where the job does not count, at least what its members say
	return use, nil
}

func privateBytes(process windows.Handle) int64 {
	var c memoryCounters
	c.size = uint32(unsafe.Sizeof(c))
	if ok, _, _ := procGetProcessMemoryInfo.Call(uintptr(process), uintptr(unsafe.Pointer(&c)), uintptr(c.size)); ok == 0 {
		return 0
	}
	return int64(max(c.private, c.pagefile)) // the same, but Wine fills in the latter only
}

func processCPU(process windows.Handle) time.Duration {
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(process, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	return time.Duration(ticks(kernel)+ticks(user)) * 100
}

// ticks are the 100 ns units of a time span or a time.
func ticks(t windows.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) }
