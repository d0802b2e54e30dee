package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
)

// visitor is a browser, and what it knows of the host.
type visitor struct {
	t    *testing.T
	http *http.Client
	base string
}

func (v visitor) ask(method, path, body string, header ...string) (int, string) {
	v.t.Helper()
	status, text, err := v.try(method, path, body, header...)
	if err != nil {
		v.t.Fatal(err)
	}
	return status, text
}

func (v visitor) try(method, path, body string, header ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for n := 0; n+1 < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	resp, err := v.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// signIn asks the host for a link that works once, and follows it.
func (r *rig) signIn() visitor {
	r.t.Helper()
	var l control.LoginAnswer
	if err := json.Unmarshal([]byte(r.must(0, "dashboard", "-o", "json")), &l); err != nil {
		r.t.Fatal(err)
	}
	u, err := url.Parse(l.URL)
	if err != nil {
		r.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	v := visitor{r.t, &http.Client{Jar: jar, Timeout: patience}, u.Scheme + "://" + u.Host}
	if status, page := v.ask("GET", u.RequestURI(), ""); status != 200 || !strings.Contains(page, "<html") {
		r.t.Fatalf("the link leads to %d\n%.300s", status, page)
	}
	if status, text := v.ask("GET", u.RequestURI(), ""); status != 403 {
		r.t.Errorf("the link works twice: %d %.300s", status, text)
	}
	return v
}

// The whole way of an operator with a browser: the link, the page, live state, an action, and a port that moves.
func TestDashboardIsServed(t *testing.T) {
	r := newRig(t)
	listens := func(at string) string {
		return "version: 1\nhost:\n  http:\n    listen: " + at + "\nservices:\n" +
			svc("db", r.child("calm", "db")) + svc("api", r.child("calm", "api"), "depends_on: [db]")
	}
	r.write(yaml(svc("db", r.child("calm", "db"))))
	r.start()
	if text := r.must(1, "dashboard", "--no-open"); !strings.Contains(text, "host.http is not set") {
		t.Errorf("without a dashboard: %s", text)
	}
	before := r.allRunning()["db"]
	r.write(listens("127.0.0.1:0"))
	r.poll("the dashboard", func() bool { _, _, code := r.cli("dashboard", "--no-open"); return code == 0 })
	if now := r.allRunning()["db"]; now != before {
		t.Errorf("host.http restarted a service: pid %d, then %d", before, now)
	}
	v := r.signIn()

	stranger := visitor{t, &http.Client{Timeout: patience}, v.base}
	for path, want := range map[string]int{"/healthz": 200, "/metrics": 200, "/": 200, "/api/v1/status": 401, "/api/v1/live": 401, "/api/v1/plan": 401} {
		if status, text := stranger.ask("GET", path, ""); status != want {
			t.Errorf("a stranger at %s: %d, want %d: %.300s", path, status, want, text)
		}
	}
	if _, text := stranger.ask("GET", "/metrics", ""); !strings.Contains(text, "servicehost_") {
		t.Errorf("metrics: %.300s", text)
	}
	r.poll("all to be ready", func() bool { status, _ := stranger.ask("GET", "/readyz", ""); return status == 200 })
	if status, text := stranger.ask("POST", "/api/v1/act", `{"verb":"stop","names":["api"]}`, "X-Host-Action", "1"); status != 401 {
		t.Errorf("a stranger acts: %d %s", status, text)
	}

	for _, name := range []string{"session", "status", "plan", "events", "logs", "usage", "graph"} {
		if status, text := v.ask("GET", "/api/v1/"+name, ""); status != 200 {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if _, text := v.ask("GET", "/api/v1/graph", ""); !strings.Contains(text, `{"from":"api","to":"db","condition":"started","required":true,"met":true}`) {
		t.Errorf("graph: %s", text)
	}

	live := v.live()
	live.find("event: status", `"id":"api"`)
	if status, text := v.ask("POST", "/api/v1/act", `{"verb":"stop","names":["api"]}`, "X-Host-Action", "1", "Sec-Fetch-Site", "same-origin"); status != 200 {
		t.Fatalf("stop: %d %s", status, text)
	}
	live.find("event: services", `"state":"stopped"`)
	if s := r.untilState("api", "stopped"); !strings.HasPrefix(s.Reason, "stopped by ") {
		t.Errorf("reason: %s", s.Reason)
	}
	if status, _ := stranger.ask("GET", "/readyz", ""); status != 200 { // an operator's stop is as desired
		t.Errorf("readyz: %d", status)
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r.write(listens(taken.Addr().String()))
	r.poll("the taken port to be told", func() bool {
		o, _, _ := r.cli("events")
		return strings.Contains(o, taken.Addr().String()) && strings.Contains(o, "tried again")
	})
	r.until("the edit to be applied with a taken port", func(s control.Status) bool { return s.Host.Spec.State == control.SpecApplied })
	r.poll("the former port to be closed", func() bool { _, _, err := stranger.try("GET", "/healthz", ""); return err != nil })
	moved := visitor{t, v.http, "http://" + taken.Addr().String()}
	taken.Close()
	r.poll("the new port to be served", func() bool { status, _, err := moved.try("GET", "/healthz", ""); return err == nil && status == 200 })

	if code := r.stop(); code != 0 {
		t.Errorf("host run: %d", code)
	}
}

// lines are those of a live stream.
type lines struct {
	t    *testing.T
	next chan string
}

// live watches until the test is over.
func (v visitor) live() lines {
	v.t.Helper()
	ctx, cancel := context.WithCancel(v.t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", v.base+"/api/v1/live", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	resp, err := (&http.Client{Jar: v.http.Jar}).Do(req) //nolint:bodyclose // the goroutine below does
	if err != nil {
		v.t.Fatal(err)
	}
	l := lines{v.t, make(chan string)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer resp.Body.Close()
		for b := bufio.NewReader(resp.Body); ; {
			line, err := b.ReadString('\n')
			if err != nil {
				return
			}
			select {
			case l.next <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	v.t.Cleanup(func() { cancel(); <-done })
	return l
}

// find waits for an event whose data holds words.
func (l lines) find(event, words string) {
	l.t.Helper()
	timeout := time.After(patience)
	for ours := false; ; {
		select {
		case line := <-l.next:
			switch {
			case strings.HasPrefix(line, "event: "):
				ours = strings.TrimSpace(line) == event
			case ours && strings.Contains(line, words):
				return
			}
		case <-timeout:
			l.t.Fatalf("no %s with %s", event, words)
		}
	}
}

// A token beyond loopback: nothing without it, and what it is good for with it.
func TestTokensAreReadFromTheirFiles(t *testing.T) {
	r := newRig(t)
	if err := os.WriteFile(filepath.Join(r.dir, "token"), []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.write("version: 1\nhost:\n  http:\n    listen: 127.0.0.1:0\n    tokens:\n      - {name: prometheus, role: read, file: token}\nservices:\n" + svc("db", r.child("calm", "db")))
	r.start()
	v := r.signIn()
	v.http = &http.Client{Timeout: patience}
	bearer := []string{"Authorization", "Bearer 0123456789abcdef0123456789abcdef"}
	if status, text := v.ask("GET", "/api/v1/session", "", bearer...); status != 200 || !strings.Contains(text, `"user":"web:prometheus","role":"read"`) {
		t.Errorf("session: %d %s", status, text)
	}
	if status, text := v.ask("POST", "/api/v1/act", `{"verb":"stop","names":["db"]}`, append(bearer, "X-Host-Action", "1")...); status != 403 {
		t.Errorf("a reader acts: %d %s", status, text)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "token"), []byte("fedcba9876543210fedcba9876543210\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.poll("the former token to be worth nothing", func() bool { status, _ := v.ask("GET", "/api/v1/status", "", bearer...); return status == 401 })
	if code := r.stop(); code != 0 {
		t.Errorf("host run: %d", code)
	}
}
