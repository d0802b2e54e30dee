package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
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

// rig is a server with a host behind it.
type rig struct {
	t       *testing.T
	s       *Server
	host    *fakeHost
	journal *journal.Journal
	told    chan journal.Event
	dir     string
}

const (
	readToken1 = "read-0123456789abcdef0123456789"
	actToken1  = "act-0123456789abcdef01234567890"
)

func testPage() fstest.MapFS {
	return fstest.MapFS{
		"index.html":        {Data: []byte("<!doctype html><title>page</title>")},
		"app.js":            {Data: []byte(strings.Repeat("export const x = 1;\n", 200))},
		"icon.svg":          {Data: []byte("<svg/>")},
		"vendor/uPlot.css":  {Data: []byte("a{}")},
		"vendor/secret.exe": {Data: []byte("MZ")},
	}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), told: make(chan journal.Event, 1000), host: &fakeHost{ended: make(chan struct{}, 100)}}
	r.host.status = control.Status{Host: control.HostStatus{Name: "orders-01"}, Services: services(2)}
	var err error
	if r.journal, err = journal.Open(filepath.Join(r.dir, "journal"), journal.Options{}); err != nil {
		t.Fatal(err)
	}
	r.s = New(Options{Host: r.host, Version: "1.2.3", Name: func() string { return "orders-01" }, Page: testPage(), Subscribe: r.journal.Subscribe,
		Publish: func(e journal.Event) { r.told <- e },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "servicehost_up 1") }),
	})
	t.Cleanup(func() { r.s.Close(); r.journal.Close() })
	return r
}

// event waits for one of a kind and returns its reason.
func (r *rig) event(k journal.Kind) string {
	r.t.Helper()
	for {
		select {
		case e := <-r.told:
			if e.Kind == k {
				return e.Reason
			}
		case <-time.After(20 * time.Second):
			r.t.Fatalf("no event %s", k)
		}
	}
}

// file writes one that its owner alone may read.
func (r *rig) file(name, content string) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

func (r *rig) tokens() []spec.HTTPToken {
	return []spec.HTTPToken{
		{Name: "prometheus", Role: spec.RoleRead, File: r.file("read", readToken1+"\n")},
		{Name: "ops", Role: spec.RoleAct, File: r.file("act", actToken1)},
	}
}

// serve applies c and returns the address, once it is served.
func (r *rig) serve(c spec.HTTP) string {
	r.t.Helper()
	r.s.Apply(c)
	return strings.TrimSuffix(r.event(journal.Listening), ", at last")
}

// loopback serves on this machine alone.
func (r *rig) loopback() string {
	return r.serve(spec.HTTP{Listen: "127.0.0.1:0", Tokens: r.tokens()})
}

// answerOf is an answer that was read.
type answerOf struct {
	status int
	header http.Header
	body   string
	proto  string
}

type option func(*http.Request)

func bearer(token string) option {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func with(key, value string) option {
	return func(r *http.Request) {
		if key == "Host" {
			r.Host = value
		} else {
			r.Header.Set(key, value)
		}
	}
}

// plainClient keeps no cookies, follows no redirects and trusts every certificate.
func plainClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, DisableCompression: true, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

func (r *rig) send(c *http.Client, method, url, body string, options ...option) answerOf {
	r.t.Helper()
	a, err := trySend(r.t.Context(), c, method, url, body, options...)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func trySend(ctx context.Context, c *http.Client, method, url, body string, options ...option) (answerOf, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answerOf{}, err
	}
	for _, o := range options {
		o(req)
	}
	resp, err := c.Do(req)
	if err != nil {
		return answerOf{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answerOf{resp.StatusCode, resp.Header, string(b), resp.Proto}, err
}

func (r *rig) get(url string, options ...option) answerOf {
	r.t.Helper()
	return r.send(plainClient(), "GET", url, "", options...)
}

func (r *rig) post(url, body string, options ...option) answerOf {
	r.t.Helper()
	return r.send(plainClient(), "POST", url, body, options...)
}

// want fails when the answer has another status.
func (a answerOf) want(t *testing.T, what string, status int) answerOf {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: got %d, want %d: %s", what, a.status, status, a.body)
	}
	return a
}

// sse is one event of a stream.
type sse struct{ name, data string }

// watch reads server-sent events until the stream ends.
func (r *rig) watch(url string, options ...option) (<-chan sse, context.CancelFunc) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, o := range options {
		o(req)
	}
	c := plainClient()
	c.Timeout = 0
	resp, err := c.Do(req) //nolint:bodyclose // by the goroutine that reads it
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		r.t.Fatalf("%s: %s", url, resp.Status)
	}
	events := make(chan sse, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(events)
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		var e sse
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch key {
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					select {
					case events <- e:
					case <-ctx.Done():
						return
					}
				}
				e = sse{}
			}
		}
	}()
	stop := func() { cancel(); <-done }
	r.t.Cleanup(stop)
	return events, stop
}

// next waits for an event of a name and decodes it; those of other names are passed over.
func next[T any](t *testing.T, events <-chan sse, name string) (v T) {
	t.Helper()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before an event %q", name)
			}
			if e.name != name {
				continue
			}
			if err := json.Unmarshal([]byte(e.data), &v); err != nil {
				t.Fatal(err)
			}
			return v
		case <-time.After(20 * time.Second):
			t.Fatalf("no event %q", name)
		}
	}
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func dialable(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}
