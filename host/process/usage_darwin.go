package process

import (
	"fmt"
	"math/bits"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What proc_info(2) is asked for, as libproc does: https://github.com/apple-oss-distributions/xnu/blob/main/bsd/sys/proc_info.h
const (
	procListPIDs  = 1 // PROC_INFO_CALL_LISTPIDS
	procPIDInfo   = 2 // PROC_INFO_CALL_PIDINFO
	procPIDRusage = 9 // PROC_INFO_CALL_PIDRUSAGE

	procGroupOnly  = 2 // PROC_PGRP_ONLY
	procPIDListFDs = 1 // PROC_PIDLISTFDS
	procTaskInfo   = 4 // PROC_PIDTASKINFO
	rusageInfoV2   = 2 // RUSAGE_INFO_V2

	procFDInfoSize = 8 // struct proc_fdinfo
)

// taskInfo is struct proc_taskinfo. Times are in units of the machine.
type taskInfo struct {
	virtual, resident uint64
	user, system      uint64
	_                 [2]uint64
	_                 [9]int32
	threads           int32
	_                 [2]int32
}

// rusageInfo is struct rusage_info_v2.
type rusageInfo struct {
	_             [16]byte
	_             [7]uint64
	footprint     uint64
	_             [8]uint64
	read, written uint64
}

// procInfo returns how many bytes it wrote into the buffer.
func procInfo(call, pid, flavor int, buffer unsafe.Pointer, size uintptr) (int, error) {
	//nolint:staticcheck // libproc, which this is beneath, can't be called without cgo
	n, _, err := unix.Syscall6(unix.SYS_PROC_INFO, uintptr(call), uintptr(pid), uintptr(flavor), 0, uintptr(buffer), size)
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}

// usage measures the members of the process group of a run.
func (s *system) usage(u *run, full bool) (Usage, error) {
	s.b.mu.Lock()
	group, gone := u.ident.PID, u.gone
	s.b.mu.Unlock()
	if gone {
		return Usage{}, &Error{Kind: ErrNoRun, Message: fmt.Sprintf("run %s is over", u.id)}
	}
	pids, err := groupMembers(group)
	if err != nil {
		return Usage{}, &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot list the processes of run %s: %v", u.id, err)}
	}
	var use Usage
	for _, pid := range pids {
		use.add(int(pid), full)
	}
	use.Resident, use.PeakMemory = use.Memory, use.Memory
	return use, nil
}

func groupMembers(group int) ([]int32, error) {
	for room := 64; ; room *= 4 {
		pids := make([]int32, room)
		n, err := procInfo(procListPIDs, procGroupOnly, group, unsafe.Pointer(&pids[0]), uintptr(4*room))
		if err != nil {
			return nil, err
		}
		if n < 4*room || room > 1<<20 {
			return pids[:n/4], nil
		}
	}
}

// add adds what one process uses; a zombie, or what is gone, counts as nothing.
func (use *Usage) add(pid int, full bool) {
	var t taskInfo
	if n, err := procInfo(procPIDInfo, pid, procTaskInfo, unsafe.Pointer(&t), unsafe.Sizeof(t)); err != nil || n != int(unsafe.Sizeof(t)) {
		return
	}
	use.Processes++
	use.Threads += int(t.threads)
	use.Memory += int64(t.resident)
	use.CPU += machTime(t.user + t.system)
	if !full {
		return
	}
	var r rusageInfo
	if _, err := procInfo(procPIDRusage, pid, rusageInfoV2, unsafe.Pointer(&r), 0); err == nil {
		use.Private += int64(r.footprint)
		use.ReadBytes += int64(r.read)
		use.WriteBytes += int64(r.written)
	}
	use.Handles += descriptors(pid)
}

func descriptors(pid int) int {
	for room := 256; ; room *= 4 {
		list := make([]byte, room*procFDInfoSize)
		n, err := procInfo(procPIDInfo, pid, procPIDListFDs, unsafe.Pointer(&list[0]), uintptr(len(list)))
		if err != nil {
			return 0
		}
		if n < len(list) || room > 1<<20 {
			return n / procFDInfoSize
		}
	}
}

// timebase is how many units of the machine are a second: 1e9 on Intel, less on Apple silicon.
var timebase = sync.OnceValue(func() uint64 {
	n, err := unix.SysctlUint64("hw.tbfrequency")
	if err != nil || n == 0 {
		return uint64(time.Second)
	}
	return n
})

func machTime(units uint64) time.Duration {
	high, low := bits.Mul64(units, uint64(time.Second))
	per := timebase()
	if high >= per {
		return 0
	}
	d, _ := bits.Div64(high, low, per)
	return time.Duration(d)
}
