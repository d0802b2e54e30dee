package process

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// guard is a small process of our own executable that outlives us just long enough to end what we
// leave behind: it sees its pipe to us close. It is told the parent cgroup, or the process groups.
type guard struct {
	sys  *system
	pid  int
	pipe *os.File
}

// start forks the guard. It has no parent-death signal: it is there for when we are dead.
func (g *guard) start() error {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(fds[0])
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(fds[1])
		return err
	}
	defer unix.Close(null)
	files := []uintptr{uintptr(fds[0]), uintptr(null), uintptr(null)}
	for _, f := range g.sys.b.opt.GuardFiles {
		files = append(files, f.Fd())
	}
	args := []string{"host-guard", helperGuard, g.sys.b.nonce}
	if g.sys.cgroups != nil {
		args = append(args, g.sys.cgroups.dir, g.sys.cgroups.limitedDir())
	}
	pid, err := syscall.ForkExec(g.sys.b.opt.Exe, args, &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"GOMAXPROCS=1", "GOGC=off"},
		Files: files,
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		unix.Close(fds[1])
		return err
	}
	g.pid, g.pipe = pid, os.NewFile(uintptr(fds[1]), "|guard")
	return nil
}

func (g *guard) tell(sign string, pgid int) {
	if g != nil && g.sys.cgroups == nil && g.pipe != nil {
		_, _ = g.pipe.WriteString(sign + strconv.Itoa(pgid) + "\n") // a dead guard is replaced and told of all
	}
}

func (g *guard) add(u *run)    { g.tell("+", u.ident.PID) }
func (g *guard) remove(u *run) { g.tell("-", u.ident.PID) }

func (g *guard) dead() bool {
	_, ok := peek(g.pid)
	return ok
}

// ended restarts the guard if pid was it. It is called by sweep.
func (g *guard) ended(pid int) {
	if g == nil || pid != g.pid {
		return
	}
	reap(pid)
	b := g.sys.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	g.pipe.Close()
	g.pipe, g.pid = nil, 0
	if err := g.start(); err != nil {
		b.opt.Warn(fmt.Sprintf("the guard process was ended and can't be started again: %v", err))
		return
	}
	b.opt.Warn("the guard process was ended by somebody and is started again")
	for _, u := range b.runs {
		if u.ident.PID != 0 && !u.gone {
			g.add(u)
		}
	}
}

// quit tells the guard that nothing is left to do. Its end is to be waited for.
func (g *guard) quit() {
	if g == nil || g.pipe == nil {
		return
	}
	_, _ = g.pipe.WriteString("quit\n") // fails if it is dead, and that is what is waited for
	g.pipe.Close()
}

// wait returns when the guard has ended after quit.
func (g *guard) wait() {
	if g == nil || g.pipe == nil {
		return
	}
	g.pipe = nil
	for {
		if _, err := syscall.Wait4(g.pid, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}

// helperMain is the guard's main: __guard NONCE [CGROUP...], commands on standard input.
func helperMain(args []string) (bool, int) {
	if args[0] == helperExec {
		return true, execMain()
	}
	if args[0] != helperGuard || len(args) < 2 {
		return true, 2
	}
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE)
	groups := map[int]bool{}
	in := bufio.NewScanner(newRestingReader())
	for in.Scan() {
		line := in.Text()
		if line == "quit" {
			return true, 0
		}
		if n, err := strconv.Atoi(strings.TrimLeft(line, "+-")); err == nil && n > 1 {
			if line[0] == '+' {
				groups[n] = true
			} else {
				delete(groups, n)
			}
		}
	}
	for pgid := range groups {
		unix.Kill(-pgid, unix.SIGKILL)
	}
	for _, dir := range args[2:] {
		endCgroup(dir)
	}
	endMarked(args[1])
	return true, 0
}

// endCgroup kills all below the parent cgroup and deletes it. What is in an uninterruptible call goes
// when it returns; only its empty folder is left then.
func endCgroup(dir string) {
	for range 100 { // what can't be killed now is tried again
		_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
		b, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
		if err != nil || strings.Contains(string(b), "populated 0") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	removeCgroup(dir)
}

// endMarked kills what carries our mark in its environment, until a look finds nothing more.
func endMarked(nonce string) {
	for range 20 {
		found := false
		eachProcess(func(pid int) {
			if pid != os.Getpid() && strings.HasPrefix(markerOf(pid), nonce+":") {
				unix.Kill(pid, unix.SIGKILL)
				found = true
			}
		})
		if !found {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
