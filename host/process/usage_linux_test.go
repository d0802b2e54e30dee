package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"servicehost/host/process"
)

// TestUsageWithoutCgroups runs the cases of the usage, and those of trees, where trees are process groups.
func TestUsageWithoutCgroups(t *testing.T) {
	for _, c := range slices.Concat(treeCases, usageCases) {
		t.Run(c.name, func(t *testing.T) {
			b, err := process.New(process.Options{Subreaper: true, NoCgroup: true, Warn: func(s string) { t.Log("warning:", s) }})
			if err != nil {
				t.Fatal(err)
			}
			s := newStage(t, b)
			c.run(t, s)
			if !t.Failed() {
				s.checkEvents()
			}
		})
	}
}

// The figures are those that the system gives to everybody.
func TestUsageIsWhatProcSays(t *testing.T) {
	s := newStage(t, newBackend(t))
	r := part("eat", "8", "10", scratchFile(t))
	r.Stdin = true
	id, ident := s.start(r)
	s.read(id, process.Stdout).awaitText(t, "ready")
	u, err := s.Usage(id, true)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := os.ReadDir(proc(ident.PID, "fd"))
	if err != nil || u.Handles != len(fds) {
		t.Errorf("%d handles, want %d (%v)", u.Handles, len(fds), err)
	}
	if w := field(t, ident.PID, "io", "write_bytes:"); u.WriteBytes != w {
		t.Errorf("%d bytes written, want %d", u.WriteBytes, w)
	}
	if r := field(t, ident.PID, "io", "read_bytes:"); u.ReadBytes != r {
		t.Errorf("%d bytes read, want %d", u.ReadBytes, r)
	}
	near := func(what string, got, want int64) {
		t.Helper()
		if got < want-4<<20 || got > want+4<<20 {
			t.Errorf("%s is %d, want about %d", what, got, want)
		}
	}
	near("PSS", u.PSS, field(t, ident.PID, "smaps_rollup", "Pss:")<<10)
	near("resident memory", u.Memory, field(t, ident.PID, "status", "VmRSS:")<<10)
	near("peak", u.PeakMemory, field(t, ident.PID, "status", "VmHWM:")<<10)
	if n := field(t, ident.PID, "status", "Threads:"); u.Threads == 0 || int64(u.Threads) > n { // it may have started more
		t.Errorf("%d threads, want %d", u.Threads, n)
	}
}

// Without a cgroup the CPU is that of the members, and of the children that they waited for.
func TestCPUWithoutCgroups(t *testing.T) {
	b, err := process.New(process.Options{Subreaper: true, NoCgroup: true})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, b)
	id, ident := s.start(part("spin"))
	s.read(id, process.Stdout).awaitText(t, "ready")
	u, err := s.Usage(id, false)
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile(proc(ident.PID, "stat"))
	if err != nil {
		t.Fatal(err)
	}
	var ticks int
	for _, f := range strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))[11:15] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	const tick = 10 * time.Millisecond
	if want := time.Duration(ticks) * tick; u.CPU > want || u.CPU < want-tick {
		t.Errorf("%v of CPU, want %v", u.CPU, want)
	}
}

// What a small process had at most is not known by its exit: what a look saw is told then.
func TestPeakOfASmallProcessIsWhatWasSeen(t *testing.T) {
	s := newStage(t, newBackend(t))
	r := part("eat", "8", "0", scratchFile(t))
	r.Stdin = true
	id, _ := s.start(r)
	s.read(id, process.Stdout).awaitText(t, "ready")
	u, err := s.Usage(id, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.StopStep(id, "stdin_close"); err != nil {
		t.Fatal(err)
	}
	if exit := s.await(id, process.Exited).Exit; exit.PeakMemory < u.Memory || exit.PeakMemory > 1<<30 {
		t.Errorf("a peak of %d bytes, and %d were seen", exit.PeakMemory, u.Memory)
	}
}

// A tree may make cgroups of its own below the one of its run.
func TestUsageCountsCgroupsBelow(t *testing.T) {
	s := newStage(t, newBackend(t))
	id, ident := s.start(part("family", "same", "spin"))
	pid := s.read(id, process.Stdout).awaitGrandchild(t)
	dir := cgroupOf(t, ident.PID)
	if dir == "" {
		t.Skip("no cgroups here")
	}
	below := filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(filepath.Join(below, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Skip(err)
	}
	if u, err := s.Usage(id, false); err != nil || u.Processes != 2 || u.Memory < 8<<20 {
		t.Errorf("%+v, %v", u, err)
	}
}

// Looks at runs that end and are forgotten meanwhile find them or not, but never somebody else's.
func TestUsageWhileRunsEnd(t *testing.T) {
	s := newStage(t, newBackend(t))
	deadline := time.Now().Add(2 * time.Second)
	for n := 0; n < 100 && time.Now().Before(deadline); n++ {
		id, _ := s.start(part("exit", "0"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				u, err := s.Usage(id, n%2 == 0)
				if err != nil {
					return // it is gone
				}
				if u.Processes > 1 || u.Memory > 1<<30 {
					t.Errorf("%+v", u)
				}
			}
		}()
		s.await(id, process.Gone)
		s.Ack(id)
		<-done
	}
}

func proc(pid int, file string) string { return fmt.Sprintf("/proc/%d/%s", pid, file) }

func field(t *testing.T, pid int, file, key string) int64 {
	t.Helper()
	b, err := os.ReadFile(proc(pid, file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s in %s", key, file)
	return 0
}

// cgroupOf is the folder of the cgroup v2 of a process, empty where that is not a run's own.
func cgroupOf(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(proc(pid, "cgroup"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok || !strings.Contains(path, "servicehost-") {
			continue
		}
		for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
			if _, err := os.Stat(filepath.Join(mount, path, "cgroup.procs")); err == nil {
				return filepath.Join(mount, path)
			}
		}
	}
	return ""
}

// BenchmarkUsage is the cost of a look at one process.
func BenchmarkUsage(b *testing.B) {
	for _, noCgroup := range []bool{false, true} {
		backend, err := process.New(process.Options{Subreaper: true, NoCgroup: noCgroup})
		if err != nil {
			b.Fatal(err)
		}
		defer backend.Close()
		go func() {
			for range backend.Events() {
			}
		}()
		id := process.RunID{Service: "s", Instance: 1, Incarnation: 1}
		if _, err := backend.Start(id, process.Request{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Dir: "/", Env: []string{"A=b"}}); err != nil {
			b.Fatal(err)
		}
		for _, full := range []bool{false, true} {
			b.Run(fmt.Sprintf("cgroup=%t/full=%t", !noCgroup, full), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := backend.Usage(id, full); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
