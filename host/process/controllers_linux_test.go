package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// asideVar makes the test binary a host that asks for the controller that it names.
const asideVar = "PROCESS_TEST_ASIDE"

func init() {
	controller := os.Getenv(asideVar)
	if controller == "" {
		return
	}
	os.Exit(playAside(controller))
}

// playAside enables a controller where the host is in the way, and leaves everything as it was.
func playAside(controller string) int {
	own, err := ownCgroup()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	c, err := newCgroups("host")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	err = c.enable(controller, []int{os.Getpid()})
	now, _ := ownCgroup()
	below, _ := filepath.Rel(own, now)
	fmt.Println("enabled:", err, "in:", below, "handed on:", words(c.limitedDir(), subtreeControl))
	c.close()
	now, _ = ownCgroup()
	left, _ := filepath.Glob(filepath.Join(own, "host*"))
	fmt.Println("after:", now == own, words(own, subtreeControl), left)
	return 0
}

// fakeCgroup lays the files of a cgroup into a folder, as the kernel does at mkdir.
func fakeCgroup(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func content(t *testing.T, dir, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLimitsAreWrittenAsTheKernelTakesThem(t *testing.T) {
	var got []string
	for _, s := range cgroupSettings(Limits{Memory: 512 << 20, CPU: 150, Processes: 64, OpenFiles: 100}) {
		got = append(got, s.controller+": "+s.file+" = "+s.value)
	}
	want := []string{
		"memory: memory.max = 536870912", "memory: memory.swap.max = 0",
		"cpu: cpu.max = 150000 100000", "pids: pids.max = 64",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if one := cgroupSettings(Limits{CPU: 1}); one[0].value != "1000 100000" { // the least that the kernel takes
		t.Errorf("1%% is %+v", one)
	}
	if none := cgroupSettings(Limits{OpenFiles: 100}); none != nil {
		t.Errorf("open files are no matter of a cgroup: %+v", none)
	}
}

func TestControllersAreEnabledWhereTheyAreDelegated(t *testing.T) {
	own := t.TempDir()
	fakeCgroup(t, own, map[string]string{"cgroup.controllers": "cpu memory pids\n", subtreeControl: "", "cgroup.procs": ""})
	c := &cgroups{own: own, dir: filepath.Join(own, "servicehost-1-abc")}
	fakeCgroup(t, c.limitedDir(), map[string]string{subtreeControl: ""})
	if err := c.enable("memory", nil); err != nil {
		t.Fatal(err)
	}
	if a, b := content(t, own, subtreeControl), content(t, c.limitedDir(), subtreeControl); a != "+memory" || b != "+memory" {
		t.Errorf("written %q and %q", a, b)
	}
	// What is not there is said, and what to do about it.
	err := c.enable("io", nil)
	if err == nil || !strings.Contains(err.Error(), "no io controller") || !strings.Contains(err.Error(), "Delegate=yes") {
		t.Errorf("error %v", err)
	}
	c.close()
	if a := content(t, own, subtreeControl); !strings.HasPrefix(a, "-memory") {
		t.Errorf("left behind %q", a)
	}
}

func TestControllersOfTheOwnCgroupStayWhereTheyWereOnBefore(t *testing.T) {
	own := t.TempDir()
	fakeCgroup(t, own, map[string]string{"cgroup.controllers": "memory\n", subtreeControl: "memory\n"})
	c := &cgroups{own: own, dir: filepath.Join(own, "servicehost-1-abc")}
	fakeCgroup(t, c.limitedDir(), map[string]string{subtreeControl: ""})
	if err := c.enable("memory", nil); err != nil {
		t.Fatal(err)
	}
	c.close()
	if a := content(t, own, subtreeControl); a != "memory\n" {
		t.Errorf("changed to %q", a)
	}
}

func TestHostStepsAsideForControllersButMovesNobodyElse(t *testing.T) {
	own := t.TempDir()
	c := &cgroups{own: own, dir: filepath.Join(own, "servicehost-1-abc")}
	aside := c.dir + "-host"
	fakeCgroup(t, aside, map[string]string{"cgroup.procs": ""})
	fakeCgroup(t, own, map[string]string{"cgroup.procs": "41\n42\n"})
	if err := c.stepAside([]int{41, 42}); err != nil {
		t.Fatal(err)
	}
	if got := content(t, aside, "cgroup.procs"); got != "42" { // the last that was written
		t.Errorf("moved %q", got)
	}
	fakeCgroup(t, aside, map[string]string{"cgroup.procs": ""})
	fakeCgroup(t, own, map[string]string{"cgroup.procs": "41\n42\n43\n"})
	if err := c.stepAside([]int{41, 42}); err == nil || !strings.Contains(err.Error(), "process 43 is in it too") {
		t.Errorf("error %v", err)
	}
	if got := content(t, aside, "cgroup.procs"); got != "" {
		t.Errorf("moved %q", got)
	}
}

// limitedRun is a system with one run in a fake cgroup.
func limitedRun(t *testing.T, l Limits, files map[string]string) (*system, *run, *queue, string) {
	t.Helper()
	parent, name := t.TempDir(), "run"
	dir := filepath.Join(parent, name)
	cg, err := createCgroup(parent, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cg.remove)
	fakeCgroup(t, dir, files)
	cg.openLimits(l)
	b := &backend{events: newQueue()}
	t.Cleanup(b.events.close)
	u := &run{id: RunID{Service: "web", Instance: 1, Incarnation: 1}, sysRun: sysRun{pidfd: -1, cg: cg}}
	return &system{b: b, byFD: map[int32]*run{}}, u, b.events, dir
}

func hits(q *queue) (out []string) {
	for {
		select {
		case e := <-q.out:
			text := e.Limit
			if e.Killed {
				text += " killed"
			}
			out = append(out, string(e.Kind)+" "+text)
		default:
			return out
		}
	}
}

func TestLimitHitsAreToldAsTheKernelCountsThem(t *testing.T) {
	s, u, q, dir := limitedRun(t, Limits{Memory: 1 << 20, Processes: 5}, map[string]string{
		"memory.events": "low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\noom_group_kill 0\n", "pids.events": "max 2\n",
	})
	s.limitsHit(u, false)
	if got := hits(q); got != nil {
		t.Errorf("told %q of nothing", got)
	}
	fakeCgroup(t, dir, map[string]string{"memory.events": "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n", "pids.events": "max 4\n"})
	s.limitsHit(u, false)
	if got := hits(q); !slices.Equal(got, []string{"limit memory killed", "limit processes"}) {
		t.Errorf("told %q", got)
	}
	// Within a second no more of the same, but at the end nothing is held back.
	fakeCgroup(t, dir, map[string]string{"memory.events": "oom_kill 2\n", "pids.events": "max 5\n"})
	s.limitsHit(u, false)
	if got := hits(q); got != nil {
		t.Errorf("told %q again at once", got)
	}
	fakeCgroup(t, dir, map[string]string{"memory.events": "oom_kill 3\n"})
	s.limitsHit(u, true)
	if got := hits(q); !slices.Equal(got, []string{"limit memory killed"}) {
		t.Errorf("told %q at the end", got)
	}
	s.forgetLimits(u)
	fakeCgroup(t, dir, map[string]string{"memory.events": "oom_kill 4\n"})
	s.limitsHit(u, true)
	if got := hits(q); got != nil {
		t.Errorf("told %q after all", got)
	}
}

// The one controller that a mixed machine leaves in cgroup v2 shows that the real kernel takes it so.
func TestControllersOfTheRealKernel(t *testing.T) {
	own, err := ownCgroup()
	if err != nil {
		t.Skip("no cgroup v2: ", err)
	}
	available := words(own, "cgroup.controllers")
	if len(available) == 0 {
		t.Skip("no controller in ", own)
	}
	c, err := newCgroups(fmt.Sprintf("servicehost-test-%d", os.Getpid()))
	if err != nil {
		t.Skip("no cgroup may be made here: ", err)
	}
	before := words(own, subtreeControl)
	err = c.enable(available[0], []int{os.Getpid()})
	if err == nil {
		g, err := createCgroup(c.limitedDir(), "run")
		if err != nil {
			t.Error(err)
		} else {
			if got := words(g.dir, "cgroup.controllers"); !slices.Contains(got, available[0]) {
				t.Errorf("the cgroup of a run has %q", got)
			}
			g.remove()
		}
	}
	c.close()
	if err != nil {
		t.Skip("controllers are not delegated here: ", err)
	}
	if after := words(own, subtreeControl); !slices.Equal(before, after) {
		t.Errorf("our cgroup handed on %q before and %q after", before, after)
	}
	if _, err := os.Stat(c.limitedDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", c.limitedDir(), err)
	}
}

func TestHostStepsAsideOnTheRealKernel(t *testing.T) {
	own, err := ownCgroup()
	if err != nil {
		t.Skip("no cgroup v2: ", err)
	}
	available := words(own, "cgroup.controllers")
	if len(available) == 0 {
		t.Skip("no controller in ", own)
	}
	controller := available[0]
	if !slices.Contains(words(own, subtreeControl), controller) {
		if err := writeFile(own, subtreeControl, "+"+controller); err != nil {
			t.Skip("controllers are not delegated here: ", err)
		}
		t.Cleanup(func() { _ = writeFile(own, subtreeControl, "-"+controller) }) // not if another test has it meanwhile
	}
	g, err := createCgroup(own, fmt.Sprintf("servicehost-aside-%d", os.Getpid()))
	if err != nil {
		t.Skip("no cgroup may be made here: ", err)
	}
	t.Cleanup(g.remove)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asideVar+"="+controller)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: g.fd}
	out, err := cmd.CombinedOutput()
	want := "enabled: <nil> in: host-host handed on: [" + controller + "]\nafter: true [] []\n"
	if err != nil || string(out) != want {
		t.Errorf("%v, it says %q, want %q", err, out, want)
	}
}
