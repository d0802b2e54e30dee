package process

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// measuredCgroup is a folder with files as a kernel with all controllers has them.
func measuredCgroup(t *testing.T) *cgroup {
	t.Helper()
	g, err := createCgroup(t.TempDir(), "web.1-1")
	if err != nil {
		t.Fatal(err)
	}
	g.counted = true
	t.Cleanup(g.remove)
	for file, text := range map[string]string{
		"cgroup.procs": "11\n12\n",
		"cpu.stat":     "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
		"memory.peak":  "734003200\n",
	} {
		if err := os.WriteFile(filepath.Join(g.dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestCgroupTellsItsUsage(t *testing.T) {
	g, l := measuredCgroup(t), testLooker()
	if cpu, ok := g.cpu(l); !ok || cpu != 1500*time.Millisecond {
		t.Errorf("CPU %v, %v", cpu, ok)
	}
	if g.members(l); !slices.Equal(l.pids, []int{11, 12}) {
		t.Errorf("members %v", l.pids)
	}
	below := filepath.Join(g.dir, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(below, "cgroup.procs"), []byte("13\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if g.members(l); !slices.Equal(l.pids, []int{11, 12, 13}) {
		t.Errorf("members %v, want those of the cgroup below too", l.pids)
	}

	u := &run{sysRun: sysRun{cg: g}}
	u.noteMemory(900 << 20)
	u.noteMemory(800 << 20)
	if n := u.peakMemory(Exit{PeakMemory: 5 << 20}); n != 700<<20 {
		t.Errorf("a peak of %d MiB, want what the limit counts", n>>20)
	}
	if err := os.Remove(filepath.Join(g.dir, "memory.peak")); err != nil {
		t.Fatal(err)
	}
	if n := u.peakMemory(Exit{PeakMemory: 5 << 20}); n != 900<<20 {
		t.Errorf("a peak of %d MiB, want the most that was seen", n>>20)
	}
	if n := (&run{}).peakMemory(Exit{PeakMemory: 5 << 20}); n != 5<<20 {
		t.Errorf("a peak of %d MiB without a cgroup, want that of the exit", n>>20)
	}
}

// The number of the descriptor of a released cgroup may be another file's.
func TestReleasedCgroupIsNotRead(t *testing.T) {
	g, l := measuredCgroup(t), testLooker()
	fd := g.fd
	g.remove()
	f, err := os.Open(g.dir) // takes the number
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if int(f.Fd()) != fd {
		t.Skip("the number is not used again")
	}
	if _, ok := g.cpu(l); ok || g.peak() != 0 {
		t.Error("read through a descriptor that is another's")
	}
	if g.members(l); len(l.pids) != 0 {
		t.Errorf("members %v", l.pids)
	}
}

// A tree that took no CPU time is not looked at again, but for a full look and after a while.
func TestIdleTreeIsLookedAtOnce(t *testing.T) {
	g := measuredCgroup(t)
	s, u := &system{b: &backend{}}, &run{sysRun: sysRun{cg: g}}
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(g.dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	processes := func(full bool) int {
		t.Helper()
		use, err := s.usage(u, full)
		if err != nil {
			t.Fatal(err)
		}
		if use.Resident != use.Memory || (use.Processes > 0) != (use.Memory > 0) {
			t.Errorf("usage %+v", use)
		}
		return use.Processes
	}
	write("cgroup.procs", "")
	if n := processes(false); n != 0 {
		t.Fatalf("%d processes", n)
	}
	write("cgroup.procs", strconv.Itoa(os.Getpid())+"\n")
	if n := processes(false); n != 0 {
		t.Errorf("%d processes: it was looked at again", n)
	}
	if n := processes(true); n != 1 {
		t.Errorf("%d processes by a full look", n)
	}
	write("cgroup.procs", "")
	if n := processes(false); n != 1 {
		t.Errorf("%d processes: a full look is not remembered", n)
	}
	write("cpu.stat", "usage_usec 1500001\n")
	if n := processes(false); n != 0 {
		t.Errorf("%d processes after it took CPU time", n)
	}
	write("cgroup.procs", strconv.Itoa(os.Getpid())+"\n")
	u.idle.at = u.idle.at.Add(-idleMost)
	if n := processes(false); n != 1 {
		t.Errorf("%d processes after a minute", n)
	}
}
