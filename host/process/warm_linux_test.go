package process_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"servicehost/host/process"
)

// crashInCgroup starts a part, kills it behind the back of the backend and returns the folder of its cgroup.
func crashInCgroup(t *testing.T, s *stage, r process.Request) string {
	t.Helper()
	id, ident, dir := startInCgroup(t, s, r)
	s.read(id, process.Stdout).awaitText(t, "ready")
	killProcess(t, ident.PID)
	s.await(id, process.Gone)
	s.Ack(id)
	return dir
}

func TestNextRunAfterACrashHasTheSameCgroup(t *testing.T) {
	s := newStage(t, newBackend(t))
	first := crashInCgroup(t, s, part("spin"))
	id, _, second := startInCgroup(t, s, part("stop"))
	if first != second {
		t.Errorf("the next run is in %s, the one before was in %s", second, first)
	}
	s.read(id, process.Stdout).awaitText(t, "ready")
	if u, err := s.Usage(id, false); err != nil || u.Processes != 1 || u.CPU <= 0 || u.CPU >= 100*time.Millisecond {
		t.Errorf("with what the run before it used: %+v, %v", u, err)
	}
	if err := s.StopStep(id, "SIGTERM"); err != nil {
		t.Fatal(err)
	}
	s.await(id, process.Gone)
	if exists(second) {
		t.Errorf("cgroup %s is there after a stop", second)
	}
}

func TestRunBesideAnotherHasACgroupOfItsOwn(t *testing.T) {
	s := newStage(t, newBackend(t))
	first := crashInCgroup(t, s, part("sleep"))
	_, _, second := startInCgroup(t, s, part("sleep"))
	_, _, third := startInCgroup(t, s, part("sleep"))
	if first != second || third == second {
		t.Errorf("the runs are in %s, %s and %s", first, second, third)
	}
}

// What a crashed run made in its cgroup is not for the next one.
func TestCgroupWithMoreInItIsNotUsedAgain(t *testing.T) {
	s := newStage(t, newBackend(t))
	id, ident, dir := startInCgroup(t, s, part("sleep"))
	s.read(id, process.Stdout).awaitText(t, "ready")
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o755); err != nil {
		t.Skip(err)
	}
	killProcess(t, ident.PID)
	s.await(id, process.Gone)
	if _, _, next := startInCgroup(t, s, part("sleep")); next == dir {
		t.Errorf("the next run is in %s too", next)
	}
	if s.Ack(id); exists(dir) {
		t.Errorf("cgroup %s is still there", dir)
	}
}

func TestCgroupIsNotKeptForARunThatDoesNotCome(t *testing.T) {
	b := newBackend(t)
	s := newStage(t, b)
	dir := crashInCgroup(t, s, part("sleep"))
	if !exists(dir) {
		t.Error("it was deleted at once")
	}
	awaitTrue(t, "the end of cgroup "+dir, func() bool { return !exists(dir) })
	if _, _, next := startInCgroup(t, s, part("sleep")); !exists(next) {
		t.Errorf("the next run has no cgroup")
	}
}

func TestClosedBackendKeepsNoCgroup(t *testing.T) {
	b := newBackend(t)
	s := newStage(t, b)
	before := openHandles(t)
	dir := crashInCgroup(t, s, part("sleep"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n := openHandles(t); exists(dir) || n > before+handleSlack {
		t.Errorf("cgroup %s is there, or %d descriptors are open, before the run %d", dir, n, before)
	}
}
