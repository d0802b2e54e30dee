package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/spec"
)

// fakeManager is a service manager that notes what it is told.
type fakeManager struct {
	mu     sync.Mutex
	told   []string
	status string
	alive  int
}

func (m *fakeManager) tell(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

func (m *fakeManager) Ready()                          { m.tell("ready") }
func (m *fakeManager) Reloading()                      { m.tell("reloading") }
func (m *fakeManager) Reloaded()                       { m.tell("reloaded") }
func (m *fakeManager) Budget(d time.Duration)          { m.tell("budget %s", d) }
func (m *fakeManager) Stopping(d time.Duration)        { m.tell("stopping %s", d) }
func (m *fakeManager) Progress(left int)               { m.tell("left %d", left) }
func (m *fakeManager) WatchdogInterval() time.Duration { return 10 * time.Millisecond }

func (m *fakeManager) Status(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status = line
}

func (m *fakeManager) Alive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.alive++
}

func (m *fakeManager) seen() ([]string, string, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.told), m.status, m.alive
}

// managedHost runs a host under a fake manager, with what a script of the test does to it.
type managedHost struct {
	t        *testing.T
	file     string
	dir      string
	manager  *fakeManager
	controls chan Control
	end      context.CancelFunc
	done     chan error
}

const managedSpec = `host: {logs: {dir: logs}, state_dir: state, shutdown_timeout: %s, reload: {quiet: 10ms}}
services: {}
%s`

func startManaged(t *testing.T) *managedHost {
	t.Helper()
	run, err := os.MkdirTemp("", "h") // a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	t.Setenv("HOST_RUN_DIR", run)
	dir := t.TempDir()
	h := &managedHost{t: t, dir: dir, file: filepath.Join(dir, "services.yaml"), manager: &fakeManager{}, controls: make(chan Control), done: make(chan error, 1)}
	h.write("20s", "")
	ctx, end := context.WithCancel(t.Context())
	h.end = end
	go func() {
		h.done <- Run(ctx, Options{Files: []string{h.file}, Managed: true, Manager: h.manager, Controls: h.controls, Service: "test", Version: "1.2.3"})
	}()
	h.until("ready", func(told []string, _ string, _ int) bool { return slices.Contains(told, "ready") })
	return h
}

func (h *managedHost) write(timeout, more string) {
	h.t.Helper()
	text := fmt.Sprintf(managedSpec, timeout, more)
	if err := os.WriteFile(h.file+".new", []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	// On Windows no file is replaced while somebody reads it; editors try again, too.
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := os.Rename(h.file+".new", h.file)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// until waits for what the manager is told.
func (h *managedHost) until(what string, holds func(told []string, status string, alive int) bool) {
	h.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds(h.manager.seen()) {
		select {
		case err := <-h.done:
			h.t.Fatalf("the host has ended before %s: %v", what, err)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			told, status, alive := h.manager.seen()
			h.t.Fatalf("no %s; told %q, status %q, alive %d", what, told, status, alive)
		}
	}
}

func (h *managedHost) stop() []string {
	h.t.Helper()
	h.end()
	if err := <-h.done; err != nil {
		h.t.Fatal(err)
	}
	told, _, _ := h.manager.seen()
	return told
}

func TestManagerIsToldHowTheHostIs(t *testing.T) {
	h := startManaged(t)
	h.until("status", func(_ []string, status string, alive int) bool {
		return status == "0 services, 0 as desired" && alive > 1
	})
	h.write("50s", "")
	h.until("new budget", func(told []string, _ string, _ int) bool { return slices.Contains(told, "budget 1m0s") })
	h.write("50s", "nonsense: 1")
	h.until("rejected", func(_ []string, status string, _ int) bool {
		return strings.HasPrefix(status, "0 services, 0 as desired; spec rejected: ") && strings.Contains(status, "nonsense")
	})
	told := h.stop()
	want := []string{"budget 30s", "ready", "reloading", "budget 1m0s", "reloaded", "reloading", "budget 1m0s", "reloaded", "stopping 1m0s"}
	if got := slices.DeleteFunc(slices.Clone(told), func(s string) bool { return strings.HasPrefix(s, "left ") }); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// rotations counts the older files of the host's own log.
func (h *managedHost) rotations() int {
	h.t.Helper()
	found, err := filepath.Glob(filepath.Join(h.dir, "logs", "host.log.*"))
	if err != nil {
		h.t.Fatal(err)
	}
	return len(found)
}

func TestManagerAsksForAReloadAndADump(t *testing.T) {
	h := startManaged(t)
	h.controls <- "of a later version" // is not understood, and no reason to end
	h.controls <- ControlReload
	h.until("reload", func(told []string, _ string, _ int) bool { return slices.Contains(told, "reloaded") })
	h.controls <- ControlRotate
	h.until("a new host.log", func([]string, string, int) bool { return h.rotations() == 1 })
	h.controls <- ControlResume
	h.controls <- ControlDump
	var dumps []string
	h.until("dump", func([]string, string, int) bool {
		found, err := filepath.Glob(filepath.Join(h.dir, "logs", "dump-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		dumps = found
		return len(dumps) == 1
	})
	text, err := os.ReadFile(dumps[0])
	if err != nil {
		t.Fatal(err)
	}
	var d stateDump
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.Version != "1.2.3" || d.Status.Host.PID != os.Getpid() || len(d.Stacks) < 3 || !slices.ContainsFunc(d.Stacks, func(s string) bool { return strings.Contains(s, "supervisor.(*Supervisor).loop") }) {
		t.Errorf("%.2000s", text)
	}
	h.stop()
}

func TestDumpsKeepTheNewestFive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs [1]")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for n := range keptDumps + 3 {
		if _, err := writeDump(dir, at.Add(time.Duration(n)*time.Millisecond), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != keptDumps || left[0].Name() != "dump-20260102T030405.003Z.json" {
		t.Errorf("%v, %v", left, err)
	}
}

func TestStopBudgetHasRoomForWhatIsNoService(t *testing.T) {
	if got := StopBudget(spec.Host{ShutdownTimeout: time.Minute}); got != 70*time.Second {
		t.Error(got)
	}
}
