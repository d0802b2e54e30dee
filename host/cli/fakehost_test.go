package cli

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

// fakeHost answers with what a test put into it and remembers what it was asked.
type fakeHost struct {
	mu      sync.Mutex
	status  control.Status
	plan    control.Plan
	reload  control.ReloadResult
	result  control.ActResult
	events  []journal.Event
	lines   []control.LogLine
	usage   control.UsageAnswer
	report  control.Report
	reports []control.ReportRequest
	err     error
	hang    chan struct{} // Act closes it and waits for its context
	asked   []control.ActRequest
	reloads []control.ReloadRequest
	logs    []control.LogsRequest
	journal []control.EventsRequest
	pauses  []bool
	tests   []control.NotifyTestRequest
	tested  control.NotifyTestResult
}

func (f *fakeHost) Status(context.Context) (control.Status, error) { return f.status, f.err }
func (f *fakeHost) Plan(context.Context) (control.Plan, error)     { return f.plan, f.err }

func (f *fakeHost) Reload(_ context.Context, r control.ReloadRequest) (control.ReloadResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reloads = append(f.reloads, r)
	return f.reload, f.err
}

func (f *fakeHost) Act(ctx context.Context, r control.ActRequest) (control.ActResult, error) {
	f.mu.Lock()
	f.asked = append(f.asked, r)
	f.mu.Unlock()
	if f.hang != nil {
		close(f.hang)
		<-ctx.Done()
	}
	return f.result, f.err
}

func (f *fakeHost) Pause(_ context.Context, on bool, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pauses = append(f.pauses, on)
	return f.err
}

func (f *fakeHost) Events(_ context.Context, r control.EventsRequest, send func(journal.Event) error) error {
	f.mu.Lock()
	f.journal = append(f.journal, r)
	f.mu.Unlock()
	for _, e := range f.events {
		if err := send(e); err != nil {
			return err
		}
	}
	return f.err
}

func (f *fakeHost) Logs(_ context.Context, r control.LogsRequest, send func(control.LogLine) error) error {
	f.mu.Lock()
	f.logs = append(f.logs, r)
	f.mu.Unlock()
	for _, l := range f.lines {
		if err := send(l); err != nil {
			return err
		}
	}
	return f.err
}

func (f *fakeHost) Graph(context.Context) (control.Graph, error) { return control.Graph{}, f.err }

func (f *fakeHost) Login(context.Context, control.LoginRequest) (control.LoginAnswer, error) {
	return control.LoginAnswer{URL: "http://127.0.0.1:9180/login?once=secret", ExpiresAt: now}, f.err
}

func (f *fakeHost) Report(_ context.Context, r control.ReportRequest) (control.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports = append(f.reports, r)
	return f.report, f.err
}

func (f *fakeHost) Usage(context.Context, control.UsageRequest) (control.UsageAnswer, error) {
	return f.usage, f.err
}

func (f *fakeHost) NotifyTest(_ context.Context, r control.NotifyTestRequest) (control.NotifyTestResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tests = append(f.tests, r)
	return f.tested, f.err
}

func (f *fakeHost) Shutdown(context.Context, string) error { return f.err }

// now is the time of every test that shows ages.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// orders is the status of the design's picture.
func orders() control.Status {
	next := now.Add(8 * time.Second)
	service := func(name string, instance int, id, state, health string, pid int, since time.Duration) control.ServiceStatus {
		return control.ServiceStatus{Name: name, Instance: instance, ID: id, State: state, Health: health, Desired: "up", PID: pid,
			Since: now.Add(-since), AsDesired: true, Spec: control.ServiceSpecStatus{State: "applied"}}
	}
	api1 := service("api", 1, "api.1", "running", "healthy", 4711, 3*time.Minute)
	api1.CPUPercent, api1.MemoryBytes = 1.23, 84<<20
	api2 := service("api", 2, "api.2", "running", "healthy", 4715, 3*time.Minute)
	api2.CPUPercent, api2.MemoryBytes = 0.94, 81<<20
	batch := service("batch", 1, "batch", "stopped", "unknown", 0, 2*time.Hour)
	batch.Desired, batch.DesiredBy, batch.Reason = "down", "operator", `stopped by ops\li.wei`
	worker := service("\u5de5\u4f5c\u8005", 1, "\u5de5\u4f5c\u8005", "backoff", "unknown", 0, 12*time.Second)
	worker.AsDesired, worker.Restarts, worker.NextRun = false, 4, &next
	worker.Reason = `exit 3 after 1.2s, next try in 8s: "cannot open db"`
	worker.LastLines = []string{"opening \x1b[31mdb", "cannot open db"}
	return control.Status{
		Host: control.HostStatus{Name: "orders-01", Version: "1.0", PID: 4000, StartedAt: now.Add(-time.Hour),
			Spec: control.SpecStatus{Path: "/srv/orders/services.yaml", State: control.SpecApplied, Hash: "abc", AppliedAt: now.Add(-3 * time.Minute),
				Problems: []spec.Problem{}, Commit: "1f2e3d4c5b", Subject: "raise api memory"}},
		Services: []control.ServiceStatus{api1, api2, batch, worker},
	}
}

// runDir makes a run directory of its own for the test and goes into an empty folder, which it returns.
func runDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOST_RUN_DIR", filepath.Join(dir, "run"))
	t.Setenv("HOST_FILE", "")
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(work)
	return work
}

// serve lets f answer as a host with this name and files.
func serve(t *testing.T, f *fakeHost, name string, files ...string) {
	t.Helper()
	s, err := control.Listen(control.Config{Host: f, Entry: control.Entry{Name: name, Files: files}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
}

type result struct {
	code           int
	stdout, stderr string
}

// invoke runs a command as from the shell, with its output in pipes.
func invoke(args ...string) result {
	var out, errs bytes.Buffer
	code := Execute(Program{Version: "1.2.3", Args: args, Stdout: &out, Stderr: &errs})
	return result{code, out.String(), errs.String()}
}

// Metrics tells one series.
func (f *fakeHost) Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# TYPE servicehost_service_up gauge\nservicehost_service_up 1\n"))
	})
}

func (f *fakeHost) Vars() map[string]any { return nil }
