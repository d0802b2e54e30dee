//go:build unix

package control

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"servicehost/host/human"
)

const socketMode = 0o660

// claim is the right to be the host of one spec, held by a lock that the kernel frees when we end in
// whatever way: so a socket file beside a free lock is a dead host's.
type claim struct {
	path string
	lock *os.File
}

const (
	lockSuffix   = ".lock"
	socketSuffix = ".sock"
)

// lockPatience is how long a claim is tried for: a sweep holds the lock of a dead host for a moment.
const lockPatience = 300 * time.Millisecond

// take claims a spec in a run directory. When a living host has it the error is an *AlreadyRunningError.
func take(dir, id string) (*claim, error) {
	deadline := time.Now().Add(lockPatience)
	for {
		c, err := tryTake(dir, id)
		var running *AlreadyRunningError
		if !errors.As(err, &running) || time.Now().After(deadline) {
			return c, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func tryTake(dir, id string) (*claim, error) {
	path := filepath.Join(dir, id+lockSuffix)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // whoever could open it could hold it
		if err != nil {
			return nil, fmt.Errorf("cannot lock the run directory: %w", err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			pid := lockHolder(f)
			_ = f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, &AlreadyRunningError{PID: pid}
			}
			return nil, fmt.Errorf("cannot lock %s: %w", human.Path(path), err)
		}
		// The holder before us may have removed the file between our open and our lock.
		here, err1 := f.Stat()
		there, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(here, there) {
			if err := f.Truncate(0); err == nil {
				_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
			}
			return &claim{path: path, lock: f}, nil
		}
		_ = f.Close()
		if err1 != nil || err2 != nil && !errors.Is(err2, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot lock %s: %w", human.Path(path), errors.Join(err1, err2))
		}
	}
}

func lockHolder(f *os.File) int {
	data, _ := io.ReadAll(io.LimitReader(f, 32))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return pid
}

func (c *claim) release() {
	_ = os.Remove(c.path)
	_ = c.lock.Close()
}

// sweep removes what hosts that were killed left in a run directory of ours.
func sweep(dir string) {
	locks, err := filepath.Glob(filepath.Join(dir, "*"+lockSuffix))
	if err != nil {
		return
	}
	for _, lock := range locks {
		id := strings.TrimSuffix(filepath.Base(lock), lockSuffix)
		c, err := tryTake(dir, id)
		if err != nil {
			continue // it lives
		}
		_ = os.Remove(filepath.Join(dir, id+entrySuffix))
		_ = os.Remove(filepath.Join(dir, id+socketSuffix))
		c.release()
	}
}

// listen opens the socket. A group that can't be given the socket is reported in warn, not refused: a
// host without a control group serves better than none.
func listen(dir, id, group string) (l net.Listener, address string, p policy, warn, err error) {
	p = policy{gid: -1}
	address = filepath.Join(dir, id+socketSuffix)
	if len(address) > maxAddress {
		return nil, "", p, nil, fmt.Errorf("cannot listen for commands: the path %s is too long for a socket", human.Path(address))
	}
	if err := os.Remove(address); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", p, nil, fmt.Errorf("cannot replace the socket of a dead host: %w", err)
	}
	l, err = net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
	if err != nil {
		return nil, "", p, nil, fmt.Errorf("cannot listen for commands: %w", err)
	}
	if group != "" {
		p.gid, warn = groupID(group)
		if warn == nil {
			warn = os.Chown(address, -1, p.gid)
		}
		if warn != nil {
			p.gid = -1
			warn = fmt.Errorf("cannot let group %q use the control socket: %w", group, warn)
		}
	}
	if err := os.Chmod(address, socketMode); err != nil {
		_ = l.Close()
		return nil, "", p, nil, fmt.Errorf("cannot protect the control socket: %w", err)
	}
	return l, address, p, warn, nil
}

func groupID(name string) (int, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return strconv.Atoi(g.Gid)
	}
	if gid, err := strconv.Atoi(name); err == nil && gid >= 0 {
		return gid, nil
	}
	return -1, errors.New("there is no such group")
}
