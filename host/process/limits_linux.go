package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// setting is one line written into a file of a cgroup.
type setting struct {
	limit      string // limitMemory …
	controller string
	file       string
	value      string
	optional   bool // not there on every kernel
}

// cpuPeriod is the time over which the kernel counts CPU, in µs: its own default.
const cpuPeriod = 100_000

// cgroupSettings are the limits as the kernel takes them: https://docs.kernel.org/admin-guide/cgroup-v2.html
//
// A tree over its memory must not go on in swap: the limit is on what it uses, as on Windows, and slow death
// by swapping is what a limit is to prevent. memory.oom.group stays 0: the kernel ends the fattest process,
// and what limits.action says is done about the others, which so can be stopped in an orderly way.
func cgroupSettings(l Limits) []setting {
	var out []setting
	if l.Memory > 0 {
		out = append(out,
			setting{limitMemory, "memory", "memory.max", strconv.FormatInt(l.Memory, 10), false},
			setting{limitMemory, "memory", "memory.swap.max", "0", true})
	}
	if l.CPU > 0 {
		out = append(out, setting{limitCPU, "cpu", "cpu.max", fmt.Sprintf("%d %d", l.CPU*cpuPeriod/100, cpuPeriod), false})
	}
	if l.Processes > 0 {
		out = append(out, setting{limitProcesses, "pids", "pids.max", strconv.Itoa(l.Processes), false})
	}
	return out
}

// limited makes the cgroup of a run, with its limits as far as they can be had here.
func (s *system) limited(u *run, l Limits, name string) (*cgroup, error) {
	settings := cgroupSettings(l)
	if len(settings) == 0 {
		return createCgroup(s.cgroups.dir, name)
	}
	missing := map[string]error{} // by controller
	parent := s.cgroups.dir
	for _, t := range settings {
		if _, asked := missing[t.controller]; asked {
			continue
		}
		if missing[t.controller] = s.cgroups.enable(t.controller, s.ownPIDs()); missing[t.controller] == nil {
			parent = s.cgroups.limitedDir()
		}
	}
	cg, err := createCgroup(parent, name)
	if err != nil {
		return nil, err
	}
	cg.counted = true
	words := limitWords(l)
	for _, t := range settings {
		err := missing[t.controller]
		if err == nil {
			err = cg.write(t.file, t.value)
		}
		if err != nil && !(t.optional && errors.Is(err, unix.ENOENT)) {
			s.b.warn.say(u.id.Service, t.limit, fmt.Sprintf("%s is not enforced here: %v", words[t.limit], err))
		}
	}
	cg.openLimits(l)
	return cg, nil
}

// ownPIDs are the processes that are the host: this one and its guard.
func (s *system) ownPIDs() []int {
	pids := []int{os.Getpid()}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.guard != nil && s.guard.pid > 0 {
		pids = append(pids, s.guard.pid)
	}
	return pids
}

// limitFile is a file in which the kernel counts how often a tree ran into a limit.
type limitFile struct {
	limit  string
	key    []byte // the line that counts
	killed bool   // each one is a process that the kernel ended
	fd     int
	seen   int64
	told   time.Time
}

// openLimits opens the files that count the hits, where they are there.
func (g *cgroup) openLimits(l Limits) {
	open := func(file string, f limitFile) {
		fd, err := unix.Openat(g.fd, file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return // the controller is missing, and that was said
		}
		f.fd = fd
		f.seen = f.count()
		g.watch = append(g.watch, &f)
	}
	if l.Memory > 0 {
		open("memory.events", limitFile{limit: limitMemory, key: []byte("oom_kill "), killed: true})
	}
	if l.Processes > 0 {
		open("pids.events", limitFile{limit: limitProcesses, key: []byte("max ")})
	}
}

// count reads the file, which also makes it ready for the next change.
func (f *limitFile) count() int64 {
	var buf [512]byte
	n, err := unix.Pread(f.fd, buf[:], 0)
	if err != nil {
		return f.seen
	}
	for line := range bytes.Lines(buf[:n]) {
		if v, ok := bytes.CutPrefix(line, f.key); ok {
			if c, err := strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64); err == nil {
				return c
			}
		}
	}
	return f.seen
}

// watchLimits begins to wait for hits. b.mu is held.
func (s *system) watchLimits(u *run) {
	if u.cg == nil {
		return
	}
	for _, f := range u.cg.watch {
		s.byFD[int32(f.fd)] = u
		if err := s.poll.add(f.fd, unix.EPOLLPRI); err != nil {
			delete(s.byFD, int32(f.fd)) // a look at the end remains
		}
	}
}

// limitsHit tells of the limits that a tree ran into since the last look. At an end nothing is held back.
// b.mu is held.
func (s *system) limitsHit(u *run, end bool) {
	if u.cg == nil || u.gone {
		return
	}
	for _, f := range u.cg.watch {
		n := f.count()
		if n <= f.seen {
			continue
		}
		f.seen = n
		if now := time.Now(); end || now.Sub(f.told) >= hitEvery {
			f.told = now
			s.b.events.put(Event{Kind: LimitHit, Run: u.id, Limit: f.limit, Killed: f.killed})
		}
	}
}

// forgetLimits ends the waiting. b.mu is held.
func (s *system) forgetLimits(u *run) {
	if u.cg == nil {
		return
	}
	for _, f := range u.cg.watch {
		delete(s.byFD, int32(f.fd))
		unix.Close(f.fd)
	}
	u.cg.watch = nil
}
