//go:build unix

package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// order is what a child has to do to itself before it becomes the program: what fork and exec can't do
// for it and nobody can do for it from outside before its first instruction. Limits on open files are
// those of the whole forking process, a lowered priority can't be raised again by the forking
// thread, and no_new_privs can't be taken off it. So a service that asks for one of them is started by
// way of this executable, which takes a few milliseconds; no other service pays for it.
type order struct {
	Path       []byte              `json:"path"`
	Args       [][]byte            `json:"args"`
	Env        [][]byte            `json:"env"`
	Dir        []byte              `json:"dir"`
	Credential *syscall.Credential `json:"credential,omitempty"`
	Nice       int                 `json:"nice,omitempty"`
	Affinity   []int               `json:"affinity,omitempty"`
	OpenFiles  int                 `json:"open_files,omitempty"`
	NoNewPrivs bool                `json:"no_new_privs,omitempty"`
	Parent     int                 `json:"parent"` // the host, whose death must not be missed
}

// report is what went wrong in a child: a step that the program can do without, or why it does not start.
type report struct {
	Step  string        `json:"step"`
	Errno syscall.Errno `json:"errno"`
	Got   int           `json:"got,omitempty"` // what there is in place of what was asked for
}

// orderFD is where the child finds its order, and tells how it went until exec closes it.
const orderFD = 3

// newOrder returns the order that a request takes, or nil where fork and exec do.
func newOrder(r Request, a *syscall.ProcAttr) *order {
	if r.Nice == 0 && len(r.Affinity) == 0 && r.Limits.OpenFiles == 0 && !r.RestrictedToken {
		return nil
	}
	return &order{
		Path: []byte(r.Path), Args: toBytes(r.Args), Env: toBytes(a.Env), Dir: []byte(a.Dir), Credential: a.Sys.Credential,
		Nice: r.Nice, Affinity: r.Affinity, OpenFiles: r.Limits.OpenFiles, NoNewPrivs: r.RestrictedToken, Parent: os.Getpid(),
	}
}

// forkExec is syscall.ForkExec, by way of our own executable where there is an order. What of an order
// can't be had is told to warn, and the program is started all the same.
func forkExec(exe, path string, argv []string, attr *syscall.ProcAttr, o *order, warn func(report)) (int, error) {
	if o == nil {
		return syscall.ForkExec(path, argv, attr)
	}
	near, far, err := orderSockets()
	if err != nil {
		return 0, err
	}
	conn := os.NewFile(uintptr(near), "order")
	defer conn.Close()
	helper, sys := *attr, *attr.Sys
	sys.Credential = nil // it needs our rights until it has done the rest
	helper.Sys = &sys
	helper.Dir = ""
	// The environment of the program may name libraries to load: that is for its own user.
	helper.Env = []string{"GOMAXPROCS=1", "GOGC=off"}
	helper.Files = append(append([]uintptr{}, attr.Files...), uintptr(far))
	pid, err := syscall.ForkExec(exe, []string{"host-exec", helperExec}, &helper)
	unix.Close(far)
	if err != nil {
		return 0, fmt.Errorf("cannot start %s to prepare the child: %w", exe, err)
	}
	if err := o.give(conn, near, warn); err != nil {
		_ = unix.Kill(pid, unix.SIGKILL) // it is about to end by itself
		awaitChild(pid)
		return 0, err
	}
	return pid, nil
}

// give hands the order over and returns once the program runs, or why it does not.
func (o *order) give(conn io.ReadWriter, fd int, warn func(report)) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err := conn.Write(text); err != nil && !errors.Is(err, unix.EPIPE) {
		return err
	}
	_ = unix.Shutdown(fd, unix.SHUT_WR) // fails where the child has ended already
	for in := json.NewDecoder(conn); ; {
		var r report
		switch err := in.Decode(&r); {
		case errors.Is(err, io.EOF), errors.Is(err, unix.ECONNRESET): // killed before it read all: a run that ended
			return nil
		case err != nil:
			return fmt.Errorf("cannot learn how the child was prepared: %w", err)
		case r.Step == stepExec, r.Step == stepDir, r.Step == stepUser:
			return r.Errno
		}
		warn(r)
	}
}

// The steps of an order, in the words of a spec where there is one.
const (
	stepNice      = "priority"
	stepAffinity  = "affinity"
	stepOpenFiles = "limits.open_files"
	stepPrivs     = "restricted_token"
	stepUser      = "user"
	stepDir       = "dir"
	stepExec      = "exec"
)

// text says what a report means for the service.
func (r report) text(o *order) string {
	switch r.Step {
	case stepNice:
		return fmt.Sprintf("its priority stays that of the host: nice %d is refused (%v)", o.Nice, r.Errno)
	case stepAffinity:
		return fmt.Sprintf("it runs on all CPUs: the system refuses its affinity (%v)", r.Errno)
	case stepOpenFiles:
		return fmt.Sprintf("each of its processes may open %d files, not %d: the host may not raise its own limit (%v)", r.Got, o.OpenFiles, r.Errno)
	case stepPrivs:
		return fmt.Sprintf("restricted_token has no effect: %v", r.Errno)
	}
	return fmt.Sprintf("%s: %v", r.Step, r.Errno)
}

// execMain is the main of a child with an order: it carries it out and becomes the program.
func execMain() int {
	runtime.LockOSThread() // priority, affinity and no_new_privs are those of a thread
	unix.CloseOnExec(orderFD)
	conn := os.NewFile(orderFD, "order")
	text, err := io.ReadAll(conn)
	if err != nil {
		return 2
	}
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		fmt.Fprintln(os.Stderr, "this is a part of the host that only the host can start")
		return 2
	}
	out := json.NewEncoder(conn)
	r := o.carryOut(func(r report) { _ = out.Encode(r) }) // with nobody at the other end nobody needs it
	_ = out.Encode(r)
	return 127
}

// carryOut does the steps and becomes the program; it returns only with why it could not.
func (o *order) carryOut(tell func(report)) report {
	say := func(step string, err error, got int) {
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			tell(report{step, errno, got})
		}
	}
	// First what may need the rights of the host.
	if o.Nice != 0 {
		say(stepNice, unix.Setpriority(unix.PRIO_PROCESS, 0, o.Nice), 0)
	}
	if len(o.Affinity) > 0 {
		say(stepAffinity, setAffinity(o.Affinity), 0)
	}
	if o.OpenFiles > 0 {
		got, err := limitOpenFiles(o.OpenFiles)
		say(stepOpenFiles, err, got)
	}
	if o.Credential != nil {
		if err := become(o.Credential); err != nil {
			return failed(stepUser, err)
		}
		if err := followParent(o.Parent); err != nil {
			return failed(stepUser, err)
		}
	}
	if len(o.Dir) > 0 {
		if err := unix.Chdir(string(o.Dir)); err != nil {
			return failed(stepDir, err)
		}
	}
	if o.NoNewPrivs {
		say(stepPrivs, noNewPrivs(), 0)
	}
	return failed(stepExec, syscall.Exec(string(o.Path), toStrings(o.Args), toStrings(o.Env)))
}

func failed(step string, err error) report {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		errno = syscall.EINVAL
	}
	return report{Step: step, Errno: errno}
}

func become(c *syscall.Credential) error {
	groups := make([]int, len(c.Groups))
	for i, g := range c.Groups {
		groups[i] = int(g)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return err
	}
	if err := syscall.Setgid(int(c.Gid)); err != nil {
		return err
	}
	return syscall.Setuid(int(c.Uid))
}

// limitOpenFiles sets the limit for this process and returns what it is then: as much as there may be
// where the whole is refused.
func limitOpenFiles(n int) (int, error) {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
		return 0, err
	}
	want := now
	setLimit(&want.Cur, n)
	setLimit(&want.Max, n)
	err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want)
	if err == nil {
		return n, nil
	}
	now.Cur = now.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now) // up to its own ceiling everybody may
	got, _ := strconv.Atoi(fmt.Sprint(now.Cur))
	return got, err
}

// setLimit writes a number into a limit, whose type differs between the systems.
func setLimit[T ~int64 | ~uint64](field *T, n int) { *field = T(n) }

// orderSockets returns two connected sockets that no other child inherits.
func orderSockets() (near, far int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return 0, 0, err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return fds[0], fds[1], nil
}

func awaitChild(pid int) {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}
