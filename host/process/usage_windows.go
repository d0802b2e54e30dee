package process

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	procGetProcessMemoryInfo  = kernel32.NewProc("K32GetProcessMemoryInfo")
	procGetProcessHandleCount = kernel32.NewProc("GetProcessHandleCount")
	procGetProcessIoCounters  = kernel32.NewProc("GetProcessIoCounters")
)

// memoryCounters is PROCESS_MEMORY_COUNTERS_EX.
type memoryCounters struct {
	size, pageFaults                         uint32
	peakWorkingSet, workingSet               uintptr
	quotaPeakPagedPool, quotaPagedPool       uintptr
	quotaPeakNonPagedPool, quotaNonPagedPool uintptr
	pagefile, peakPagefile                   uintptr
	private                                  uintptr
}

// ioAccounting is JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION.
type ioAccounting struct {
	accounting
	io windows.IO_COUNTERS
}

// Usage asks the job for what it counts, which includes ended members, and its members for the rest.
func (b *backend) Usage(id RunID, full bool) (Usage, error) {
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
	var use Usage
	if a.activeProcesses == 1 && u.exit == nil { // the usual case: nothing has to be opened
		use.add(u.process, false, full)
	} else {
		for _, pid := range jobPIDs(u.job) {
			if int(pid) == u.ident.PID {
				if u.exit == nil {
					use.add(u.process, false, full)
				}
				continue
			}
			if m, ok := openMember(u.job, pid); ok {
				use.add(m.handle, consoleHost(m.handle), full)
				windows.CloseHandle(m.handle)
			}
		}
	}
	use.Memory = use.Private
	use.CPU = max(use.CPU, a.cpu()) // where the job does not count, at least what its members say
	if full {
		use.addJob(u.job)
	}
	use.PeakMemory = max(use.PeakMemory, use.Memory)
	u.memory = max(u.memory, use.PeakMemory)
	return use, nil
}

// add adds what one process uses. That of a service's console costs memory and CPU, but its handles and threads
// are not the doing of the service.
func (use *Usage) add(process windows.Handle, console, full bool) {
	c := memoryOf(process)
	use.Resident += int64(c.workingSet)
	use.Private += int64(max(c.private, c.pagefile)) // the same, but Wine fills in the latter only
	use.PeakMemory = max(use.PeakMemory, int64(c.peakPagefile))
	use.CPU += processCPU(process)
	if console {
		return
	}
	use.Processes++
	if !full {
		return
	}
	var handles uint32
	if ok, _, _ := procGetProcessHandleCount.Call(uintptr(process), uintptr(unsafe.Pointer(&handles))); ok != 0 {
		use.Handles += int(handles)
	}
	use.Threads += threadsOf(process)
	var io windows.IO_COUNTERS
	if ok, _, _ := procGetProcessIoCounters.Call(uintptr(process), uintptr(unsafe.Pointer(&io))); ok != 0 {
		use.ReadBytes += int64(io.ReadTransferCount)
		use.WriteBytes += int64(io.WriteTransferCount)
	}
}

// addJob takes over what the job counts, where it does.
func (use *Usage) addJob(job windows.Handle) {
	use.PeakMemory = max(use.PeakMemory, jobPeak(job))
	var a ioAccounting
	err := windows.QueryInformationJobObject(job, windows.JobObjectBasicAndIoAccountingInformation,
		uintptr(unsafe.Pointer(&a)), uint32(unsafe.Sizeof(a)), nil)
	if err == nil {
		use.ReadBytes = max(use.ReadBytes, int64(a.io.ReadTransferCount))
		use.WriteBytes = max(use.WriteBytes, int64(a.io.WriteTransferCount))
	}
}

func memoryOf(process windows.Handle) memoryCounters {
	var c memoryCounters
	c.size = uint32(unsafe.Sizeof(c))
	if ok, _, _ := procGetProcessMemoryInfo.Call(uintptr(process), uintptr(unsafe.Pointer(&c)), uintptr(c.size)); ok == 0 {
		return memoryCounters{}
	}
	return c
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
