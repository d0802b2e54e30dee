package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// controllers is what of the kernel's resource control the runs with limits have. They lie in a folder of
// their own beside that of the others, which so stay as cheap as they are.
type controllers struct {
	mu      sync.Mutex
	tried   map[string]error // by name of the controller; nil: enabled
	enabled []string         // in our own cgroup, by us
	aside   string           // where the host went to make room; empty: it is where it was
}

func (c *cgroups) limitedDir() string { return c.dir + "-limited" }

// enable makes a controller usable below limitedDir, or says why it can't be. The answer stays the same.
func (c *cgroups) enable(controller string, ours []int) error {
	k := &c.limits
	k.mu.Lock()
	defer k.mu.Unlock()
	if err, ok := k.tried[controller]; ok {
		return err
	}
	err := c.tryEnable(controller, ours)
	if k.tried == nil {
		k.tried = map[string]error{}
	}
	k.tried[controller] = err
	return err
}

func (c *cgroups) tryEnable(controller string, ours []int) error {
	if !slices.Contains(words(c.own, "cgroup.controllers"), controller) {
		return fmt.Errorf("the cgroup %q of the host has no %s controller (install it as a service with Delegate=yes; a mixed system has it in cgroup v1)",
			c.own, controller)
	}
	if !slices.Contains(words(c.own, subtreeControl), controller) {
		err := writeFile(c.own, subtreeControl, "+"+controller)
		// A cgroup that hands controllers on must not have processes itself. Anything may still be
		// forking there, so moving them away is tried more than once.
		for range 3 {
			if !errors.Is(err, unix.EBUSY) {
				break
			}
			if err = c.stepAside(ours); err == nil {
				err = writeFile(c.own, subtreeControl, "+"+controller)
			}
		}
		if err != nil {
			return fmt.Errorf("the %s controller can't be enabled for the cgroup %q of the host: %w", controller, c.own, err)
		}
		c.limits.enabled = append(c.limits.enabled, controller)
	}
	dir := c.limitedDir()
	if err := unix.Mkdir(dir, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("cannot make cgroup %q: %w", dir, err)
	}
	if err := writeFile(dir, subtreeControl, "+"+controller); err != nil {
		return fmt.Errorf("the %s controller can't be enabled for the cgroup %q: %w", controller, dir, err)
	}
	return nil
}

// stepAside moves ours, the host and its guard, into a cgroup of their own, below the one they are in. Somebody
// else's processes are not moved.
func (c *cgroups) stepAside(ours []int) error {
	pids := words(c.own, "cgroup.procs")
	for _, pid := range pids {
		if n, _ := strconv.Atoi(pid); !slices.Contains(ours, n) {
			return fmt.Errorf("process %s is in it too; install the host as a service, or start it with systemd-run --scope -p Delegate=yes", pid)
		}
	}
	aside := c.dir + "-host"
	if err := unix.Mkdir(aside, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("cannot make cgroup %q: %w", aside, err)
	}
	c.limits.aside = aside
	return move(pids, aside)
}

func move(pids []string, dir string) error {
	for _, pid := range pids {
		if err := writeFile(dir, "cgroup.procs", pid); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("cannot move process %s to the cgroup %q: %w", pid, dir, err)
		}
	}
	return nil
}

// close deletes the folders, as far as they are empty, and leaves our own cgroup as it was found.
func (c *cgroups) close() {
	removeCgroup(c.dir)
	k := &c.limits
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tried != nil {
		removeCgroup(c.limitedDir())
	}
	for _, controller := range k.enabled {
		_ = writeFile(c.own, subtreeControl, "-"+controller) // somebody else may use it by now
	}
	if k.aside != "" {
		_ = move(words(k.aside, "cgroup.procs"), c.own)
		unix.Rmdir(k.aside)
	}
}

const subtreeControl = "cgroup.subtree_control"

// words reads a file of a cgroup that is a list; one that is not there is empty.
func words(dir, file string) []string {
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b))
}

// writeFile writes into a file of a cgroup, which must be there.
func writeFile(dir, file, value string) error {
	fd, err := unix.Open(filepath.Join(dir, file), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(value))
	return err
}
