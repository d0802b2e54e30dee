package process_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"servicehost/host/process"
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// startInCgroup starts a part and returns the folder of its cgroup.
func startInCgroup(t *testing.T, s *stage, r process.Request) (process.RunID, process.Identity, string) {
	t.Helper()
	id, ident := s.start(r)
	dir := cgroupOf(t, ident.PID)
	if dir == "" {
		t.Skip("no cgroups here")
	}
	return id, ident, dir
}

// That the folder can be deleted is how the backend learns that a tree is gone: it must not need another look for it.
func TestRunOfOneProcessTakesItsCgroupAlong(t *testing.T) {
	s := newStage(t, newBackend(t))
	for _, step := range []string{"SIGTERM", "SIGKILL"} {
		id, _, dir := startInCgroup(t, s, part("stop"))
		s.read(id, process.Stdout).awaitText(t, "ready")
		if err := s.StopStep(id, step); err != nil {
			t.Fatal(err)
		}
		e := s.await(id, process.Gone).Exit
		if step == "SIGTERM" && e.Code != 5 || step == "SIGKILL" && (e.Code != 128+9 || e.Signal != "SIGKILL") || e.At.IsZero() {
			t.Errorf("exit %+v after %s", e, step)
		}
		if exists(dir) {
			t.Errorf("cgroup %s is there after %s", dir, step)
		}
		s.Ack(id)
	}
}

// A cgroup that a tree made below its own keeps that from being deleted at once, empty or not.
func TestCgroupsBelowEndWithTheirRun(t *testing.T) {
	s := newStage(t, newBackend(t))
	for _, inhabited := range []bool{false, true} {
		id, ident, dir := startInCgroup(t, s, part("family", "detached", "ignore"))
		pid := s.read(id, process.Stdout).awaitGrandchild(t)
		below := filepath.Join(dir, "below")
		if err := os.Mkdir(below, 0o755); err != nil {
			t.Skip(err)
		}
		if inhabited {
			if err := os.WriteFile(filepath.Join(below, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
				t.Skip(err)
			}
		}
		killProcess(t, ident.PID)
		s.await(id, process.Gone)
		if alive(pid) {
			t.Errorf("the grandchild lives on, in a cgroup below: %v", inhabited)
		}
		if s.Ack(id); exists(dir) {
			t.Errorf("cgroup %s is still there", dir)
		}
	}
}
