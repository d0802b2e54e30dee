package process

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// outerLimits are those of the job around all runs. What an inner job allows, this one must not forbid; what
// an inner one does not allow stays forbidden, because a breakaway begins at the innermost job:
// https://learn.microsoft.com/windows/win32/procthread/nested-jobs
func outerLimits() windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION {
	var l windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	l.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK
	return l
}

// jobLimits are those of a run's job, all in one: they are written once and never read and changed. mask is
// its affinity where that fits one group of processors, else 0.
func jobLimits(r Request, mask uintptr) windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION {
	var l windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	b := &l.BasicLimitInformation
	b.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if !r.ErrorDialogs {
		// Without it Windows Error Reporting may hold a crashed process, and with it the service.
		b.LimitFlags |= windows.JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION
	}
	if r.AllowBreakaway {
		b.LimitFlags |= windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK
	}
	if r.Limits.Memory > 0 {
		b.LimitFlags |= windows.JOB_OBJECT_LIMIT_JOB_MEMORY
		l.JobMemoryLimit = uintptr(r.Limits.Memory)
	}
	if r.Limits.Processes > 0 {
		b.LimitFlags |= windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS
		b.ActiveProcessLimit = uint32(r.Limits.Processes) + consoleHosts
	}
	if r.Nice != 0 {
		b.LimitFlags |= windows.JOB_OBJECT_LIMIT_PRIORITY_CLASS
		b.PriorityClass = priorityClass(r.Nice)
	}
	if mask != 0 {
		b.LimitFlags |= windows.JOB_OBJECT_LIMIT_AFFINITY
		b.Affinity = mask
	}
	return l
}

// consoleHosts is the room for the conhost.exe that serves a child's hidden console: it may count as a
// member of the job, and a child that gets none does not start.
const consoleHosts = 1

// priorityClass is the class next to a nice value. Real time is none of them: it starves the system.
func priorityClass(nice int) uint32 {
	switch {
	case nice >= 15:
		return windows.IDLE_PRIORITY_CLASS
	case nice >= 5:
		return windows.BELOW_NORMAL_PRIORITY_CLASS
	case nice > -3:
		return windows.NORMAL_PRIORITY_CLASS
	case nice > -8:
		return windows.ABOVE_NORMAL_PRIORITY_CLASS
	}
	return windows.HIGH_PRIORITY_CLASS
}

// creationFlags are those of CreateProcess that a request decides on. The console of its own, without a
// window, is what a Ctrl-C reaches a child by; it also spares the desktop heap of session 0.
func creationFlags(r Request) uint32 {
	flags := uint32(windows.CREATE_NO_WINDOW)
	if r.Nice != 0 {
		flags |= priorityClass(r.Nice)
	}
	if r.ErrorDialogs {
		flags |= windows.CREATE_DEFAULT_ERROR_MODE // not the silent one of this process
	}
	return flags
}

// cpuRate is JOBOBJECT_CPU_RATE_CONTROL_INFORMATION:
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_cpu_rate_control_information
type cpuRate struct {
	controlFlags uint32
	rate         uint32
}

const (
	cpuRateEnable  = 0x1
	cpuRateHardCap = 0x4
)

// hardCap limits to percent of one core. The system counts in 10000ths of the whole machine, and takes
// neither nothing nor more than all.
func hardCap(percent, cpus int) cpuRate {
	rate := percent * 100 / max(cpus, 1)
	return cpuRate{cpuRateEnable | cpuRateHardCap, uint32(min(max(rate, 1), 10000))}
}

// setJob writes one kind of information about a job.
func setJob[T any](job windows.Handle, class uint32, info *T, size uintptr) error {
	var pin runtime.Pinner // the call takes a number, which would not follow a stack that moves
	pin.Pin(info)
	defer pin.Unpin()
	_, err := windows.SetInformationJobObject(job, class, uintptr(unsafe.Pointer(info)), uint32(size))
	return err
}

// limitedJob makes the job of a run with everything that the request says about it, before its first member.
// What can't be had is a warning, but for the limits that every system knows.
func (b *backend) limitedJob(u *run, r Request) (windows.Handle, error) {
	warn := func(about, message string) { b.warn.say(u.id.Service, about, message) }
	groups := processorGroups()
	affinity, absent := groupAffinities(r.Affinity, groups)
	if len(absent) > 0 {
		warn("affinity", fmt.Sprintf("its affinity names CPU %s, but this machine has %s", strings.Trim(fmt.Sprint(absent), "[]"), human.Count(sum(groups), "CPU")))
	}
	var mask uintptr
	if len(groups) == 1 && len(affinity) == 1 {
		mask = affinity[0].mask
	}
	limits := jobLimits(r, mask)
	job, err := newJob(limits)
	if errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD) && r.Nice != 0 {
		warn("priority", "its tree is not held at its priority: the host lacks the right to raise one (SeIncreaseBasePriorityPrivilege)")
		limits.BasicLimitInformation.LimitFlags &^= windows.JOB_OBJECT_LIMIT_PRIORITY_CLASS
		limits.BasicLimitInformation.PriorityClass = 0
		job, err = newJob(limits)
	}
	if err != nil {
		return 0, err
	}
	if mask == 0 && len(affinity) > 0 {
		if err := setJob(job, windows.JobObjectGroupInformationEx, &affinity[0], uintptr(len(affinity))*unsafe.Sizeof(affinity[0])); err != nil {
			warn("affinity", fmt.Sprintf("it runs on all CPUs: the system refuses its affinity (%v)", err))
		}
	}
	if r.Limits.CPU > 0 {
		rate := hardCap(r.Limits.CPU, sum(groups))
		if err := setJob(job, windows.JobObjectCpuRateControlInformation, &rate, unsafe.Sizeof(rate)); err != nil {
			warn(limitCPU, fmt.Sprintf("limits.cpu %d%% is not enforced here: %v", r.Limits.CPU, err))
		}
	}
	if r.Limits.OpenFiles > 0 {
		warn("limits.open_files", "limits.open_files is for Unix; Windows has no such limit")
	}
	return job, nil
}
