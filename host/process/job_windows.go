package process

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procIsProcessInJob = kernel32.NewProc("IsProcessInJob")

// newJob returns an unnamed job with the given limits that no child inherits. With kill on close among them its
// members end when its last handle is closed, by us or by the system. They are written as one whole: a
// flag that is left out of a later write would be cleared.
func newJob(limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION) (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	if err := setJob(job, windows.JobObjectExtendedLimitInformation, &limits, unsafe.Sizeof(limits)); err != nil {
		windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

// reportTo makes the job send its messages to the port. It must come before the first member.
func reportTo(job, port windows.Handle, key uintptr) error {
	association := struct {
		key  uintptr
		port windows.Handle
	}{key, port}
	_, err := windows.SetInformationJobObject(job, windows.JobObjectAssociateCompletionPortInformation,
		uintptr(unsafe.Pointer(&association)), uint32(unsafe.Sizeof(association)))
	return err
}

// accounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION. Times are in units of 100 ns.
type accounting struct {
	totalUser, totalKernel   int64
	periodUser, periodKernel int64
	pageFaults               uint32
	totalProcesses           uint32
	activeProcesses          uint32
	terminatedProcesses      uint32
}

func (a accounting) cpu() time.Duration { return time.Duration(a.totalUser+a.totalKernel) * 100 }

func jobAccounting(job windows.Handle) (a accounting, err error) {
	err = windows.QueryInformationJobObject(job, windows.JobObjectBasicAccountingInformation,
		uintptr(unsafe.Pointer(&a)), uint32(unsafe.Sizeof(a)), nil)
	return a, err
}

// jobPeak is the most memory that the members of a job had committed together, 0 where that is not counted.
func jobPeak(job windows.Handle) int64 {
	var l windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	err := windows.QueryInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&l)), uint32(unsafe.Sizeof(l)), nil)
	if err != nil {
		return 0
	}
	return int64(l.PeakJobMemoryUsed)
}

func activeProcesses(job windows.Handle) uint32 {
	a, err := jobAccounting(job)
	if err != nil {
		return 0
	}
	return a.activeProcesses
}

// jobPIDs lists the members of a job at this moment.
func jobPIDs(job windows.Handle) []uint32 {
	const header = 2 * 4 // how many there are, how many follow
	for room := 16; ; room *= 4 {
		list := make([]uintptr, room+1) // aligned as the system's structure
		size := uint32(header) + uint32(room)*uint32(unsafe.Sizeof(uintptr(0)))
		err := windows.QueryInformationJobObject(job, windows.JobObjectBasicProcessIdList,
			uintptr(unsafe.Pointer(&list[0])), size, nil)
		if errors.Is(err, windows.ERROR_MORE_DATA) && room < 1<<20 {
			continue
		}
		if err != nil {
			return nil
		}
		n := *(*uint32)(unsafe.Add(unsafe.Pointer(&list[0]), 4))
		ids := unsafe.Slice((*uintptr)(unsafe.Add(unsafe.Pointer(&list[0]), header)), room)[:min(int(n), room)]
		pids := make([]uint32, len(ids))
		for i, id := range ids {
			pids[i] = uint32(id)
		}
		return pids
	}
}

// member is a process of a tree, held so that its PID stays its own.
type member struct {
	pid    uint32
	handle windows.Handle
}

// openMember opens a process by its PID if it still is a member of the job.
func openMember(job windows.Handle, pid uint32) (member, bool) {
	// The full right is what Wine wants; the limited one is all there is for a protected process.
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_INFORMATION, false, pid)
	if err != nil {
		h, err = windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	}
	if err != nil {
		return member{}, false
	}
	var in int32
	if ok, _, _ := procIsProcessInJob.Call(uintptr(h), uintptr(job), uintptr(unsafe.Pointer(&in))); ok == 0 || in == 0 {
		windows.CloseHandle(h)
		return member{}, false
	}
	return member{pid, h}, true
}

// openMembers holds every process of the tree, beside the main one, that is not held yet, and returns
// how many are held that have not ended. u.mu is held.
func (u *run) openMembers() int {
	for _, pid := range jobPIDs(u.job) {
		if int(pid) == u.ident.PID || slices.ContainsFunc(u.members, func(m member) bool { return m.pid == pid }) {
			continue
		}
		if m, ok := openMember(u.job, pid); ok {
			u.members = append(u.members, m)
		}
	}
	u.dropEnded()
	return len(u.members)
}

// dropEnded lets go of the members that have ended, but never of one that is waited for. u.mu is held.
func (u *run) dropEnded() {
	u.members = slices.DeleteFunc(u.members, func(m member) bool {
		if (u.wait != nil && u.wait.object == m.handle) || !signaled(m.handle) {
			return false
		}
		windows.CloseHandle(m.handle)
		return true
	})
}

// consoleHost reports whether a process is the system's conhost.exe, which serves the hidden console of
// a child and may be counted among the members of its job.
func consoleHost(process windows.Handle) bool {
	var name [windows.MAX_PATH]uint16
	n := uint32(len(name))
	if windows.QueryFullProcessImageName(process, 0, &name[0], &n) != nil {
		return false
	}
	return strings.EqualFold(filepath.Base(windows.UTF16ToString(name[:n])), "conhost.exe")
}

func onlyConsoleHosts(members []member) bool {
	return len(members) > 0 && !slices.ContainsFunc(members, func(m member) bool { return !consoleHost(m.handle) })
}
