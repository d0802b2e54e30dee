package web

import (
	"context"
	"fmt"
	"sync"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// fakeHost answers with what a test put into it and remembers what it was asked.
type fakeHost struct {
	control.Host // nil: what the page does not ask for
	mu           sync.Mutex
	status       control.Status
	looks        int
	acts         []control.ActRequest
	logs         int           // lines of logs; -1: one now and then until the reader goes
	hold         chan struct{} // Act waits until it is closed
	holding      chan struct{} // Act closes it
	ended        chan struct{} // gets one for each stream that ended
	// gaveUp is set when a line of logs could not be sent.
	gaveUp bool
	// following is how many streams of logs go on.
	following int
}

func (f *fakeHost) change(what func(*control.Status)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	services := make([]control.ServiceStatus, len(f.status.Services))
	copy(services, f.status.Services)
	f.status.Services = services
	what(&f.status)
}

func (f *fakeHost) Status(context.Context) (control.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	return f.status, nil
}

func (f *fakeHost) statusFor(ctx context.Context, _ bool) (control.Status, error) {
	return f.Status(ctx)
}

func (f *fakeHost) Plan(context.Context) (control.Plan, error) {
	return control.Plan{State: "applied"}, nil
}

func (f *fakeHost) Reload(context.Context, control.ReloadRequest) (control.ReloadResult, error) {
	return control.ReloadResult{State: control.SpecApplied}, nil
}

func (f *fakeHost) Act(ctx context.Context, r control.ActRequest) (control.ActResult, error) {
	f.mu.Lock()
	f.acts = append(f.acts, r)
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
		close(f.holding)
		select {
		case <-hold:
		case <-ctx.Done():
			return control.ActResult{}, ctx.Err()
		}
	}
	return control.ActResult{Services: []control.ActOutcome{{ID: "api", OK: true}}}, nil
}

func (f *fakeHost) Pause(context.Context, bool, string) error { return nil }

func (f *fakeHost) Events(context.Context, control.EventsRequest, func(journal.Event) error) error {
	return nil
}

func (f *fakeHost) Logs(ctx context.Context, r control.LogsRequest, send func(control.LogLine) error) error {
	for range f.logs {
		if err := send(control.LogLine{ID: "api", Line: "a line that is long enough to be worth something"}); err != nil {
			f.mu.Lock()
			f.gaveUp = true
			f.mu.Unlock()
			return err
		}
	}
	if r.Follow {
		_ = send(control.LogLine{ID: "api", Line: "first"})
		f.mu.Lock()
		f.following++
		f.mu.Unlock()
		<-ctx.Done()
		f.ended <- struct{}{}
	}
	return nil
}

func (f *fakeHost) Report(context.Context, control.ReportRequest) (control.Report, error) {
	return control.Report{Services: []journal.ServiceReport{}}, nil
}

func (f *fakeHost) Usage(context.Context, control.UsageRequest) (control.UsageAnswer, error) {
	return control.UsageAnswer{Services: []control.ServiceUsage{}}, nil
}

func (f *fakeHost) Graph(context.Context) (control.Graph, error) {
	return control.Graph{Nodes: []control.GraphNode{}, Edges: []control.GraphEdge{}}, nil
}

// services are n of them that run.
func services(n int) []control.ServiceStatus {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var all []control.ServiceStatus
	for i := range n {
		id := fmt.Sprintf("s%04d", i)
		all = append(all, control.ServiceStatus{Name: id, Instance: 1, ID: id, State: "running", Health: "healthy", Desired: "up", PID: 1000 + i,
			Since: began, StartedAt: &began, AsDesired: true, Description: "one of many", CPUPercent: 1.5, MemoryBytes: 1 << 20})
	}
	return all
}
