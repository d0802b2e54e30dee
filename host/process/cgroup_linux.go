package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// cgroups is the cgroup v2 folder under which every run gets one of its own, so that a whole tree can
// be ended by one write, whatever sessions and groups it made: https://docs.kernel.org/admin-guide/cgroup-v2.html
type cgroups struct {
	own string // ours, under which dir lies
	dir string

	limits controllers // for the runs that are limited; unused until one is
}

// newCgroups makes the parent folder below the own cgroup, or says why there is none.
func newCgroups(name string) (*cgroups, error) {
	own, err := ownCgroup()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(own, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	// cgroup.kill came with Linux 5.14.
	if _, err := os.Stat(filepath.Join(dir, "cgroup.kill")); err != nil {
		os.Remove(dir)
		return nil, errors.New("the kernel has no cgroup.kill (Linux 5.14)")
	}
	return &cgroups{own: own, dir: dir}, nil
}

// ownCgroup finds the cgroup v2 mount, the unified one of a mixed machine too, and our place in it.
func ownCgroup() (string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	mount, root := "", ""
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		for i := 6; i+1 < len(f); i++ {
			if f[i] == "-" && f[i+1] == "cgroup2" {
				root, mount = f[3], f[4]
			}
		}
	}
	if mount == "" {
		return "", errors.New("no cgroup v2 is mounted")
	}
	b, err = os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if p, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			rel, err := filepath.Rel(root, p)
			if err != nil || strings.HasPrefix(rel, "..") {
				return "", fmt.Errorf("the own cgroup %q is outside the mount", p)
			}
			return filepath.Join(mount, rel), nil
		}
	}
	return "", errors.New("this process is in no cgroup v2")
}

// cgroup is the folder of one run.
type cgroup struct {
	dir    string
	mu     sync.Mutex   // held to open a file by fd where the run may be released meanwhile, and to release it
	fd     int          // of dir; -1 once released
	events int          // of cgroup.events; -1 until watched
	watch  []*limitFile // one for each limit that the kernel reports on

	counted bool // there may be more in it than what every cgroup has: limits, and what is used of them
	deleted bool // the folder is, or is another run's

	used   bool         // by an earlier run
	before atomic.Int64 // the CPU time that took
}

func createCgroup(parent, name string) (*cgroup, error) {
	dir := filepath.Join(parent, name)
	if err := unix.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make cgroup %q: %w", dir, err)
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Rmdir(dir)
		return nil, fmt.Errorf("cannot open cgroup %q: %w", dir, err)
	}
	return &cgroup{dir: dir, fd: fd, events: -1}, nil
}

// populated reports whether anything but zombies is left in the cgroup. The first call opens
// cgroup.events, which then signals each change to a poller.
func (g *cgroup) populated() bool {
	if g.events < 0 {
		fd, err := unix.Openat(g.fd, "cgroup.events", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return false
		}
		g.events = fd
	}
	var buf [128]byte
	n, err := unix.Pread(g.events, buf[:], 0)
	return err == nil && bytes.Contains(buf[:n], []byte("populated 1"))
}

// leave deletes the folder of an ended run and reports whether it could: the kernel refuses as long as anything but
// zombies is in it, so this answers at once whether something of the tree is left, and what is deleted nothing can
// join. What a limit tells of its run would be gone with the folder: those are asked first, see check.
func (g *cgroup) leave() bool {
	if g == nil || g.counted {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deleted = g.deleted || unix.Rmdir(g.dir) == nil
	return g.deleted
}

func (g *cgroup) kill() error { return g.write("cgroup.kill", "1") }

func (g *cgroup) write(file, value string) error {
	fd, err := unix.Openat(g.fd, file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(value))
	return err
}

// procs lists the living processes of the cgroup.
func (g *cgroup) procs() []int {
	b, err := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var pids []int
	for f := range strings.FieldsSeq(string(b)) {
		if n, err := strconv.Atoi(f); err == nil && n > 0 {
			pids = append(pids, n)
		}
	}
	return pids
}

// remove frees the descriptors and deletes the folder, with whatever empty cgroups the tree made below it.
func (g *cgroup) remove() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fd < 0 {
		return
	}
	if g.events >= 0 {
		unix.Close(g.events)
	}
	for _, f := range g.watch {
		unix.Close(f.fd)
	}
	g.watch = nil
	unix.Close(g.fd)
	g.fd, g.events = -1, -1
	if !g.deleted && unix.Rmdir(g.dir) != nil {
		removeCgroup(g.dir)
	}
}

// removeCgroup deletes a cgroup folder bottom up. Its files are not deleted: they go with it.
func removeCgroup(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeCgroup(filepath.Join(dir, e.Name()))
		}
	}
	unix.Rmdir(dir)
}
