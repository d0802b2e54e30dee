package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// statFields returns the fields of /proc/PID/stat behind the command name: [0] is the state.
// See proc_pid_stat(5); field n there is element n-3 here.
func statFields(pid int) []string {
	// Without os.File, which would ask the poller for a file that can't be polled.
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var buf [1024]byte
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return nil
	}
	b := buf[:n]
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return nil
	}
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 22 {
		return nil
	}
	return f
}

const (
	statParent  = 4 - 3
	statCreated = 22 - 3
)

// created is the start time of a process in clock ticks since boot, 0 if it is gone.
func created(pid int) int64 {
	f := statFields(pid)
	if f == nil {
		return 0
	}
	n, _ := strconv.ParseInt(f[statCreated], 10, 64)
	return n
}

// bootTicks is the time in which created is told, 0 if it is not known.
func bootTicks() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0
	}
	return t.Nano() / int64(clockTick)
}

// clockTick is USER_HZ, which the kernel fixes at 100 on every architecture Go runs on.
const clockTick = time.Second / 100

// children lists the living and dead children of this process: from the kernel's own list where it is
// built in (CONFIG_PROC_CHILDREN), else by looking at every process once.
func children() []int {
	var pids []int
	tasks, err := os.ReadDir("/proc/self/task")
	if err == nil {
		for _, t := range tasks {
			b, err := os.ReadFile("/proc/self/task/" + t.Name() + "/children")
			if err != nil {
				return childrenByScan()
			}
			for f := range strings.FieldsSeq(string(b)) {
				if n, err := strconv.Atoi(f); err == nil {
					pids = append(pids, n)
				}
			}
		}
	}
	return pids
}

func childrenByScan() []int {
	self := strconv.Itoa(os.Getpid())
	var pids []int
	eachProcess(func(pid int) {
		if f := statFields(pid); f != nil && f[statParent] == self {
			pids = append(pids, pid)
		}
	})
	return pids
}

func eachProcess(do func(pid int)) {
	d, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			do(pid)
		}
	}
}

// markerOf returns HOST_RUN from the environment a process was started with, or "".
func markerOf(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	for v := range bytes.SplitSeq(b, []byte{0}) {
		if m, ok := bytes.CutPrefix(v, []byte(markerVar+"=")); ok {
			return string(m)
		}
	}
	return ""
}

// peek learns how a child ended without reaping it.
func peek(pid int) (Exit, bool) {
	var si unix.Siginfo
	var used unix.Rusage
	for {
		err := unix.Waitid(unix.P_PID, pid, &si, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, &used)
		if err == unix.EINTR {
			continue
		}
		if err != nil || si.Signo == 0 {
			return Exit{}, false
		}
		break
	}
	// struct siginfo of SIGCHLD: si_pid, si_uid, si_status follow the three leading ints.
	c := childInfo(&si)
	e := Exit{At: time.Now(), PeakMemory: peakResident(used.Maxrss)}
	switch si.Code {
	case cldExited:
		e.Code = int(c.status)
	default:
		sig := syscall.Signal(c.status)
		e.Code, e.Signal, e.Core = 128+int(sig), unix.SignalName(sig), si.Code == cldDumped
	}
	return e, true
}

// reapExit is peek for a child that is reaped with it.
func reapExit(pid int) (Exit, bool) {
	var ws syscall.WaitStatus
	var used syscall.Rusage
	for {
		got, err := syscall.Wait4(pid, &ws, syscall.WNOHANG, &used)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || got != pid {
			return Exit{}, false
		}
		e := exitOf(ws)
		e.PeakMemory = peakResident(used.Maxrss)
		return e, true
	}
}

const (
	cldExited = 1
	cldDumped = 3
)
