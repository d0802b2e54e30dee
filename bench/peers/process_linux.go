package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// now is the clock of the notes.
func now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // no Linux is without it
	}
	return t.Nano()
}

// adopt makes this process the parent of whatever loses its own below it, so that nothing that a
// supervisor leaves behind escapes from being counted and ended.
func adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot become a subreaper: %w", err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max // what is started gets it too, once it was set by hand
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// command is a program with its arguments, and what its environment has besides ours.
type command struct {
	args, env []string
}

// process is one that this program started.
type process struct {
	pid, fd int
	began   int64
}

// births is held while a process starts; who takes it for good ends all of that.
var births sync.Mutex

// ended is what is known of processes that were reaped.
var ended = struct {
	sync.Mutex
	byPID map[int]ending
}{byPID: map[int]ending{}}

type ending struct {
	status syscall.WaitStatus
	cpu    time.Duration
}

func start(c command, dir string, stdin *os.File, out *os.File) (*process, error) {
	path, err := findProgram(c.args[0])
	if err != nil {
		return nil, err
	}
	births.Lock()
	defer births.Unlock()
	p := &process{fd: -1, began: now()}
	p.pid, err = syscall.ForkExec(path, c.args, &syscall.ProcAttr{
		Dir: dir, Env: append(os.Environ(), c.env...), Files: []uintptr{stdin.Fd(), out.Fd(), out.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true, PidFD: &p.fd},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", path, err)
	}
	if p.fd < 0 {
		return nil, fmt.Errorf("cannot watch %s: this needs pidfds, Linux 5.4", path)
	}
	return p, nil
}

// reap collects whatever has ended below this process, its own and adopted children alike.
func reap() {
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, &usage)
		if err != nil || pid <= 0 {
			return
		}
		ended.Lock()
		ended.byPID[pid] = ending{status, time.Duration(usage.Utime.Nano() + usage.Stime.Nano())}
		ended.Unlock()
	}
}

// wait returns how the process ended, and when that was seen.
func (p *process) wait(timeout time.Duration) (ending, int64, error) {
	if left, at := waitGone(map[int]int{p.pid: p.fd}, timeout); len(left) == 0 {
		reap()
		ended.Lock()
		defer ended.Unlock()
		e := ended.byPID[p.pid]
		delete(ended.byPID, p.pid)
		return e, at, nil
	}
	return ending{}, 0, fmt.Errorf("not done within %v", timeout)
}

// waitGone waits until all processes have ended, and closes their pidfds. It returns those that go on,
// and when the last one was seen to end. It looks at one after the other, so that it sleeps while they
// end, and takes no time from who ends them.
func waitGone(fds map[int]int, timeout time.Duration) (left []int, at int64) {
	until := time.Now().Add(timeout)
	for pid, fd := range fds {
		for {
			rest := max(0, time.Until(until))
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(rest.Milliseconds()))
			if n > 0 {
				break
			}
			if err != unix.EINTR && rest < time.Millisecond {
				left = append(left, pid)
				break
			}
		}
		unix.Close(fd)
	}
	return left, now()
}

// watch opens a pidfd for each process that still is.
func watch(pids []int) map[int]int {
	out := map[int]int{}
	for _, pid := range pids {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			out[pid] = fd
		}
	}
	return out
}

// findProgram looks for a program, and in the folders too that PATH of a plain user lacks.
func findProgram(name string) (string, error) {
	if filepath.Base(name) != name {
		_, err := os.Stat(name)
		return name, err
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/local/sbin", "/usr/sbin", "/sbin", "/command") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}
