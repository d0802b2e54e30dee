package control

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"servicehost/host/journal"
)

func TestServerAnswersEveryMethodOfTheHost(t *testing.T) {
	f := newFakeHost()
	_, c := serve(t, testDir(t), f, Entry{Name: "orders-01"})
	ctx := t.Context()

	st, err := c.Status(ctx)
	if err != nil || st.Host.Name != "orders-01" || len(st.Services) != 1 {
		t.Errorf("Status = %+v, %v", st, err)
	}
	if p, err := c.Plan(ctx); err != nil || p.State != "applied" || p.Changes == nil {
		t.Errorf("Plan = %+v, %v", p, err)
	}
	if r, err := c.Reload(ctx, ReloadRequest{Confirm: true, Retry: []string{"api"}}); err != nil || r.State != SpecApplied {
		t.Errorf("Reload = %+v, %v", r, err)
	}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	ask := ActRequest{Verb: VerbStop, Names: []string{"api"}, Until: &until, Timeout: time.Minute}
	if r, err := c.Act(ctx, ask); err != nil || len(r.Services) != 1 || !r.Services[0].OK {
		t.Errorf("Act = %+v, %v", r, err)
	}
	if err := errors.Join(c.Pause(ctx, true), c.Pause(ctx, false), c.Shutdown(ctx)); err != nil {
		t.Error(err)
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.reloads) != 1 || !f.reloads[0].Confirm || f.reloads[0].Actor == "" {
		t.Errorf("the host was asked for %+v", f.reloads)
	}
	if len(f.acts) != 1 || !f.acts[0].Until.Equal(until) || f.acts[0].Timeout != time.Minute {
		t.Errorf("the host was asked for %+v", f.acts)
	}
	actor := f.reloads[0].Actor
	if !slices.Equal(f.pauses, []bool{true, false}) || !slices.Equal(f.actors, []string{actor, actor, "shutdown by " + actor}) {
		t.Errorf("pauses %v by %q", f.pauses, f.actors)
	}
}

func TestServerStreamsEventsAndLogs(t *testing.T) {
	f := newFakeHost()
	_, c := serve(t, testDir(t), f, Entry{})
	var seqs []uint64
	since := time.Now().Add(-time.Hour)
	err := c.Events(t.Context(), EventsRequest{Services: []string{"api", "b c"}, Since: since, Last: 5}, func(e journal.Event) error {
		seqs = append(seqs, e.Seq)
		return nil
	})
	if err != nil || !slices.Equal(seqs, []uint64{1, 2, 3}) {
		t.Errorf("events %v, %v", seqs, err)
	}
	var lines []LogLine
	until := since.Add(time.Hour)
	err = c.Logs(t.Context(), LogsRequest{Services: []string{"api"}, Last: -1, Grep: "a+b&c", Stream: "stderr", Since: since, Until: until, Raw: true}, func(l LogLine) error {
		lines = append(lines, l)
		return nil
	})
	if err != nil || len(lines) != 1 || lines[0].Line != "hello \x1b[31mred\x1b[0m \u4f60\u597d" {
		t.Errorf("lines %+v, %v", lines, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if q := f.events[0]; !slices.Equal(q.Services, []string{"api", "b c"}) || !q.Since.Equal(since) || q.Last != 5 || q.Follow {
		t.Errorf("the host was asked for %+v", q)
	}
	if q := f.logs[0]; q.Last != -1 || q.Grep != "a+b&c" || q.Stream != "stderr" || !q.Since.Equal(since) || !q.Until.Equal(until) || !q.Raw {
		t.Errorf("the host was asked for %+v", q)
	}
}

func TestServerEndsAStreamWhenTheClientGoes(t *testing.T) {
	f := newFakeHost()
	_, c := serve(t, testDir(t), f, Entry{})
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan uint64, 16)
	done := make(chan error, 1)
	go func() {
		done <- c.Events(ctx, EventsRequest{Follow: true}, func(e journal.Event) error { got <- e.Seq; return nil })
	}()
	for want := uint64(1); want <= 3; want++ {
		if seq := within(t, "an event", got); seq != want {
			t.Fatalf("got event %d, want %d", seq, want)
		}
	}
	f.follow <- journal.Event{Seq: 99}
	if seq := within(t, "the live event", got); seq != 99 {
		t.Errorf("got event %d", seq)
	}
	cancel()
	if err := within(t, "the end of the client", done); !errors.Is(err, context.Canceled) {
		t.Errorf("client ended with %v", err)
	}
	if err := within(t, "the end of the host's stream", f.ended); err == nil {
		t.Error("the host's stream ended without a reason")
	}
}

func TestServerCloseEndsStreams(t *testing.T) {
	f := newFakeHost()
	s, c := serve(t, testDir(t), f, Entry{})
	got, done := make(chan uint64, 16), make(chan error, 1)
	go func() {
		done <- c.Events(t.Context(), EventsRequest{Follow: true}, func(e journal.Event) error { got <- e.Seq; return nil })
	}()
	within(t, "an event", got)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := within(t, "the end of the client", done); err != nil && !errors.Is(err, ErrGone) {
		t.Errorf("client ended with %v", err)
	}
	within(t, "the end of the host's stream", f.ended)
}

func TestServerReportsAnErrorInsideAStream(t *testing.T) {
	f := newFakeHost()
	_, c := serve(t, testDir(t), f, Entry{})
	got, done := make(chan uint64, 16), make(chan error, 1)
	go func() {
		done <- c.Events(t.Context(), EventsRequest{Follow: true}, func(e journal.Event) error { got <- e.Seq; return nil })
	}()
	for range 3 {
		within(t, "an event", got)
	}
	f.follow <- journal.Event{Kind: journal.Warning}
	var e *Error
	if err := within(t, "the end of the client", done); !errors.As(err, &e) || e.Message != "the journal is broken" || e.Hint != "look at it" {
		t.Errorf("client ended with %v", err)
	}
}

func TestServerCancelsAWaitWhenTheClientGoes(t *testing.T) {
	f := newFakeHost()
	f.wait = make(chan struct{})
	_, c := serve(t, testDir(t), f, Entry{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := c.Act(ctx, ActRequest{Verb: VerbStop}); done <- err }()
	within(t, "the request", f.wait)
	cancel()
	if err := within(t, "the end of the client", done); !errors.Is(err, context.Canceled) {
		t.Errorf("client ended with %v", err)
	}
	if err := within(t, "the end of the wait", f.ended); !errors.Is(err, context.Canceled) {
		t.Errorf("wait ended with %v", err)
	}
}

func TestServerPassesErrorsWithTheirHints(t *testing.T) {
	f := newFakeHost()
	f.err = &Error{Status: http.StatusNotFound, Message: `no service "web"`, Hint: `did you mean "api"?`}
	_, c := serve(t, testDir(t), f, Entry{})
	var e *Error
	if _, err := c.Status(t.Context()); !errors.As(err, &e) || *e != *f.err.(*Error) {
		t.Errorf("got %#v, want %#v", err, f.err)
	}
	err := c.Events(t.Context(), EventsRequest{}, func(journal.Event) error { return nil })
	if !errors.As(err, &e) || *e != *f.err.(*Error) {
		t.Errorf("got %#v, want %#v", err, f.err)
	}
	f.err = errors.New("plain")
	if _, err := c.Plan(t.Context()); !errors.As(err, &e) || e.Status != 500 || e.Message != "plain" {
		t.Errorf("got %#v", err)
	}
}

func TestServerSurvivesAPanic(t *testing.T) {
	_, c := serve(t, testDir(t), newFakeHost(), Entry{})
	var e *Error
	if _, err := c.Act(t.Context(), ActRequest{Verb: VerbStop, Names: []string{"panic"}}); !errors.As(err, &e) || e.Status != 500 {
		t.Errorf("got %#v", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("the host does not answer any more: %v", err)
	}
}

func TestServerRefusesBadRequests(t *testing.T) {
	_, c := serve(t, testDir(t), newFakeHost(), Entry{})
	tests := []struct {
		name, method, path, body string
		status                   int
		words                    string
	}{
		{"unknown path", "GET", "/v1/nothing", "", 404, "/v1/nothing"},
		{"wrong method", "GET", "/v1/reload", "", 405, "POST"},
		{"no JSON", "POST", "/v1/act", "{", 400, "cannot read"},
		{"unknown field", "POST", "/v1/act", `{"verb":"stop","gently":true}`, 400, "gently"},
		{"two values", "POST", "/v1/act", `{} {}`, 400, "follows"},
		{"too large", "POST", "/v1/act", `{"names":["` + strings.Repeat("x", maxBody) + `"]}`, 413, "too large"},
		{"bad number", "GET", "/v1/logs?last=many", "", 400, "many"},
		{"bad time", "GET", "/v1/events?since=yesterday", "", 400, "yesterday"},
		{"bad flag", "GET", "/v1/events?follow=perhaps", "", 400, "perhaps"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://host"+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var b strings.Builder
			_, _ = copyTo(&b, resp)
			if resp.StatusCode != tt.status || !strings.Contains(b.String(), tt.words) || !strings.HasPrefix(b.String(), `{"error":{"message":`) {
				t.Errorf("%d %s; want %d and %q", resp.StatusCode, b.String(), tt.status, tt.words)
			}
		})
	}
}

func TestServerOffersProfiles(t *testing.T) {
	_, c := serve(t, testDir(t), newFakeHost(), Entry{})
	for path, want := range map[string]string{
		"/debug/vars":                    "memstats",
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile",
	} {
		resp, err := c.send(t.Context(), "GET", path, nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var b strings.Builder
		_, _ = copyTo(&b, resp)
		resp.Body.Close()
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s has no %q", path, want)
		}
	}
}

func TestServerRefusesASecondHost(t *testing.T) {
	dir := testDir(t)
	file := filepath.Join(dir, "services.yaml")
	s, _ := serve(t, dir, newFakeHost(), Entry{Files: []string{file}})
	_, err := listenIn(dir, Config{Host: newFakeHost(), Entry: Entry{Files: []string{file}}})
	var running *AlreadyRunningError
	if !errors.As(err, &running) || running.PID != os.Getpid() || !strings.Contains(err.Error(), "already run") {
		t.Fatalf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := listenIn(dir, Config{Host: newFakeHost(), Entry: Entry{Files: []string{file}}})
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	_ = again.Close()
}

func TestServerCloseLeavesNothingBehind(t *testing.T) {
	dir := testDir(t)
	s, _ := serve(t, dir, newFakeHost(), Entry{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestClientOfADeadHostSaysSo(t *testing.T) {
	s, c := serve(t, testDir(t), newFakeHost(), Entry{Name: "orders-01"})
	_ = s.Close()
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrGone) {
		t.Errorf("got %v", err)
	}
}

func TestRoutesAllNeedAccess(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range routes {
		if r.access < Read || r.access > Admin {
			t.Errorf("%s %s is open to everybody", r.method, r.path)
		}
		if r.method != "GET" && r.access < Act {
			t.Errorf("%s %s changes something with %s access", r.method, r.path, r.access)
		}
		if seen[r.path] {
			t.Errorf("%s is there twice", r.path)
		}
		seen[r.path] = true
	}
}
