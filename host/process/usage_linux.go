package process

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// procStat is what a look takes from /proc/PID/stat: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
type procStat struct {
	state          byte
	group, threads int
	cpu            time.Duration // of its own, and of the children that it waited for
	created        int64         // in clock ticks since boot
	resident       int64
}

var pageSize = int64(os.Getpagesize())

// stat reads that of a process; false if it is gone or a zombie.
func (l *looker) stat(pid int) (s procStat, ok bool) {
	l.proc(pid, "stat")
	text := l.read()
	i := bytes.LastIndexByte(text, ')')
	if i < 0 || len(text) < i+4 {
		return s, false
	}
	text = text[i+2:]
	s.state, text = text[0], text[1:]
	var ticks int64
	for field := 4; field <= 24; field++ {
		if len(text) == 0 || text[0] != ' ' {
			return s, false
		}
		text = text[1:]
		minus := len(text) > 0 && text[0] == '-'
		if minus {
			text = text[1:]
		}
		var n int64
		n, text = digits(text)
		switch field {
		case 5:
			s.group = int(n)
		case 14, 15:
			ticks += n
		case 16, 17: // of the children; may be negative by a kernel that counts wrong
			if !minus {
				ticks += n
			}
		case 20:
			s.threads = int(n)
		case 22:
			s.created = n
		case 24:
			s.resident = n * pageSize
		}
	}
	s.cpu = time.Duration(ticks) * clockTick
	return s, s.state != 'Z' && s.state != 'X'
}

// usage measures the tree of a run: the members of its cgroup, or those that are known to descend from it.
func (s *system) usage(u *run, full bool) (Usage, error) {
	s.b.mu.Lock()
	cg, pid, gone, ended := u.cg, u.ident.PID, u.gone, u.exit != nil
	s.b.mu.Unlock()
	if gone {
		return Usage{}, &Error{Kind: ErrNoRun, Message: fmt.Sprintf("run %s is over", u.id)}
	}
	l := lookers.Get().(*looker)
	defer lookers.Put(l)
	var use Usage
	if cg == nil {
		s.kin.tree(l, &use, u, pid, ended)
		use.Resident = use.Memory
	} else {
		now := time.Now()
		cpu, counted := cg.cpu(l)
		if counted && !full {
			if use, ok := u.idle.known(cpu, now); ok {
				return use, nil
			}
		}
		cg.members(l)
		for _, pid := range l.pids {
			l.add(pid, &use)
		}
		use.Resident = use.Memory
		if counted {
			use.CPU = cpu
			u.idle.note(use, now)
		}
	}
	if full {
		for _, pid := range l.pids {
			l.addFull(pid, &use)
		}
		use.PeakMemory = max(use.PeakMemory, cg.peak(), use.Memory)
	}
	u.noteMemory(max(use.Memory, use.PeakMemory))
	return use, nil
}

// add adds what a process uses by itself.
func (l *looker) add(pid int, use *Usage) (procStat, bool) {
	s, ok := l.stat(pid)
	if ok {
		use.Processes++
		use.Threads += s.threads
		use.CPU += s.cpu
		use.Memory += s.resident
	}
	return s, ok
}

// addFull adds what only a full look asks for. What is another user's may be refused, and counts as nothing.
func (l *looker) addFull(pid int, use *Usage) {
	l.proc(pid, "smaps_rollup")
	if text := l.readAll(); text != nil {
		use.PSS += value(text, "Pss:") << 10
		use.Private += (value(text, "Private_Clean:") + value(text, "Private_Dirty:") + value(text, "Private_Hugetlb:")) << 10
	}
	l.proc(pid, "fd")
	use.Handles += l.count()
	l.proc(pid, "io")
	if text := l.read(); text != nil {
		use.ReadBytes += value(text, "read_bytes:")
		use.WriteBytes += value(text, "write_bytes:")
	}
	l.proc(pid, "status")
	use.PeakMemory = max(use.PeakMemory, value(l.read(), "VmHWM:")<<10) // of one member; the tree had no less
}

// noteMemory remembers what a look saw, for the exit.
func (u *run) noteMemory(n int64) {
	for {
		old := u.memory.Load()
		if n <= old || u.memory.CompareAndSwap(old, n) {
			return
		}
	}
}

// peakMemory is the highest that is known of a run whose main process has just ended.
func (u *run) peakMemory(e Exit) int64 {
	if peak := u.cg.peak(); peak > 0 {
		return peak
	}
	return max(e.PeakMemory, u.memory.Load())
}

// open opens a file of the cgroup; negative if there is none, or the cgroup is released.
func (g *cgroup) open(l *looker, file string) int {
	if g == nil {
		return -1
	}
	l.file(file)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fd < 0 {
		return -1
	}
	return l.open(g.fd, unix.O_RDONLY)
}

// members leaves the living processes of the cgroup, and of those that the tree made below it, in l.pids.
func (g *cgroup) members(l *looker) {
	l.pids = numbers(l.pids[:0], l.drain(g.open(l, "cgroup.procs"), true))
	if !g.nested() {
		return
	}
	_ = filepath.WalkDir(g.dir, func(dir string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() || dir == g.dir {
			return nil // it is gone meanwhile
		}
		for _, pid := range words(dir, "cgroup.procs") {
			l.pids = numbers(l.pids, []byte(pid))
		}
		return nil
	})
}

// nested reports whether there are cgroups below: a folder has a link for each, and two of its own.
func (g *cgroup) nested() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	var st unix.Stat_t
	return g.fd >= 0 && unix.Fstat(g.fd, &st) == nil && st.Nlink > 2
}

// cpu is the CPU time of the run in the cgroup so far, ended members included.
func (g *cgroup) cpu(l *looker) (time.Duration, bool) {
	text := l.drain(g.open(l, "cpu.stat"), false)
	if len(text) == 0 {
		return 0, false
	}
	return time.Duration(value(text, "usage_usec "))*time.Microsecond - time.Duration(g.before.Load()), true
}

// peak is the most memory that the kernel charged to the cgroup, 0 where it does not count that: without the memory
// controller, which only runs with limits have, and before Linux 5.19. A nil cgroup has none.
func (g *cgroup) peak() int64 {
	if g == nil || !g.counted {
		return 0
	}
	l := lookers.Get().(*looker)
	defer lookers.Put(l)
	n, _ := digits(l.drain(g.open(l, "memory.peak"), false))
	return n
}
