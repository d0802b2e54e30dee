package control

import (
	"context"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// fakeHost answers like a host with one service and remembers what it was asked.
type fakeHost struct {
	mu      sync.Mutex
	reloads []ReloadRequest
	acts    []ActRequest
	pauses  []bool
	actors  []string
	events  []EventsRequest
	logs    []LogsRequest
	tests   []NotifyTestRequest
	usages  []UsageRequest
	reports []ReportRequest

	follow chan journal.Event // events of a following stream
	ended  chan error         // why a following stream ended
	err    error              // answered by every method
	wait   chan struct{}      // Act ends only with its context
}

func newFakeHost() *fakeHost {
	return &fakeHost{follow: make(chan journal.Event, 16), ended: make(chan error, 16)}
}

func (f *fakeHost) Status(context.Context) (Status, error) {
	return Status{Host: HostStatus{Name: "orders-01", PID: 7, Spec: SpecStatus{State: SpecApplied, Problems: []spec.Problem{}}},
		Services: []ServiceStatus{{Name: "api", Instance: 1, ID: "api", State: "running"}}}, f.err
}

func (f *fakeHost) Plan(context.Context) (Plan, error) {
	return Plan{State: "applied", Problems: []spec.Problem{}, Changes: []PlanChange{}}, f.err
}

func (f *fakeHost) Reload(_ context.Context, r ReloadRequest) (ReloadResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reloads = append(f.reloads, r)
	return ReloadResult{State: SpecApplied, Problems: []spec.Problem{}, Changes: []PlanChange{}}, f.err
}

func (f *fakeHost) Act(ctx context.Context, r ActRequest) (ActResult, error) {
	f.mu.Lock()
	f.acts = append(f.acts, r)
	wait := f.wait
	f.mu.Unlock()
	if wait != nil {
		close(wait)
		<-ctx.Done()
		f.ended <- ctx.Err()
		return ActResult{}, ctx.Err()
	}
	if len(r.Names) == 1 && r.Names[0] == "panic" {
		panic("a bug")
	}
	return ActResult{Services: []ActOutcome{{ID: "api", OK: true, State: "stopped"}}}, f.err
}

func (f *fakeHost) Pause(_ context.Context, on bool, actor string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pauses = append(f.pauses, on)
	f.actors = append(f.actors, actor)
	return f.err
}

func (f *fakeHost) Events(ctx context.Context, r EventsRequest, send func(journal.Event) error) error {
	f.mu.Lock()
	f.events = append(f.events, r)
	f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	for seq := range uint64(3) {
		if err := send(journal.Event{Seq: seq + 1, Kind: journal.Started, ID: "api"}); err != nil {
			return err
		}
	}
	for r.Follow {
		select {
		case e := <-f.follow:
			if e.Kind == journal.Warning {
				return &Error{Status: http.StatusConflict, Message: "the journal is broken", Hint: "look at it"}
			}
			if err := send(e); err != nil {
				f.ended <- err
				return err
			}
		case <-ctx.Done():
			f.ended <- ctx.Err()
			return ctx.Err()
		}
	}
	return nil
}

func (f *fakeHost) Logs(_ context.Context, r LogsRequest, send func(LogLine) error) error {
	f.mu.Lock()
	f.logs = append(f.logs, r)
	f.mu.Unlock()
	return send(LogLine{ID: "api", Stream: "stdout", Line: "hello \x1b[31mred\x1b[0m \u4f60\u597d"})
}

func (f *fakeHost) Graph(context.Context) (Graph, error) {
	return Graph{Nodes: []GraphNode{{ID: "api", State: "running", Instances: 1}}, Edges: []GraphEdge{}}, f.err
}

func (f *fakeHost) Login(_ context.Context, r LoginRequest) (LoginAnswer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actors = append(f.actors, r.Access.String()+" for "+r.Actor)
	return LoginAnswer{URL: "http://127.0.0.1:9180/login?once=x"}, f.err
}

func (f *fakeHost) Report(_ context.Context, r ReportRequest) (Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports = append(f.reports, r)
	return Report{Services: []journal.ServiceReport{{ID: "api", Outages: 3}}}, f.err
}

func (f *fakeHost) Usage(_ context.Context, r UsageRequest) (UsageAnswer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.usages = append(f.usages, r)
	return UsageAnswer{Services: []ServiceUsage{{ID: "api", MemoryBytes: 5 << 20}}}, f.err
}

func (f *fakeHost) NotifyTest(_ context.Context, r NotifyTestRequest) (NotifyTestResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tests = append(f.tests, r)
	return NotifyTestResult{Notifiers: []NotifyTestOutcome{{Name: "ops", Kind: "webhook", OK: true}}}, f.err
}

func (f *fakeHost) Shutdown(_ context.Context, actor string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actors = append(f.actors, "shutdown by "+actor)
	return f.err
}

// serve opens the channel of f in dir and returns a client of it.
func serve(t *testing.T, dir string, f *fakeHost, e Entry) (*Server, *Client) {
	t.Helper()
	if e.Files == nil {
		e.Files = []string{dir + "/services.yaml"}
	}
	s, err := listenIn(dir, Config{Host: f, Entry: e, Trouble: func(err error) { t.Log("trouble:", err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	c := NewClient(s.Entry())
	t.Cleanup(c.Close)
	return s, c
}

// testDir is a run directory that is short enough for sockets.
func testDir(t *testing.T) string {
	t.Helper()
	dir := tempDir(t)
	t.Setenv(runDirVariable, dir)
	got, err := runDir()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// tempDir is t.TempDir with a path that is short enough for a socket everywhere.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// within fails the test when nothing arrives in time.
func within[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s did not happen in time", what)
		panic("unreachable")
	}
}

func (f *fakeHost) Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte("servicehost_service_up 1\n"))
	})
}

func (f *fakeHost) Vars() map[string]any { return map[string]any{"instances": 7} }
