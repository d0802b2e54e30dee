package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// request is what a server of a test got.
type request struct {
	method, path, query, body string
	header                    http.Header
	status                    int // of the answer
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// server is a receiver with a real socket, which can go away and come back.
type server struct {
	t       *testing.T
	address string
	http    *http.Server

	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, r *http.Request, n int) // n-th request; nil: 204
}

func newServer(t *testing.T) *server {
	s := &server{t: t, address: "127.0.0.1:0"}
	s.up()
	t.Cleanup(s.down)
	return s
}

func (s *server) up() {
	s.t.Helper()
	var l net.Listener
	var err error
	for end := time.Now().Add(10 * time.Second); ; { // Windows: the address may be held for a moment
		if l, err = net.Listen("tcp", s.address); err == nil || time.Now().After(end) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.http = &http.Server{Handler: s}
	go func(h *http.Server) { _ = h.Serve(l) }(s.http)
}

func (s *server) down() { s.http.Close() }

func (s *server) url(path string) string { return "http://" + s.address + path }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.got = append(s.got, request{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Clone(), 0})
	n, answer := len(s.got), s.answer
	s.mu.Unlock()
	rec := &recorder{w, http.StatusOK}
	if answer != nil {
		answer(rec, r, n)
	} else {
		rec.WriteHeader(http.StatusNoContent)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[n-1].status = rec.status
}

func (s *server) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.got...)
}

func (s *server) set(answer func(w http.ResponseWriter, r *http.Request, n int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// to is a webhook to an address, with secrets that come from a map by their variable.
func to(n spec.Notifier, values map[string]string) *webhook {
	if n.Timeout == 0 {
		n.Timeout = 5 * time.Second
	}
	return &webhook{Notifier: n, template: templateOf(n.Template), agent: "servicehost/1", secret: func(_ context.Context, s spec.Secret) (string, error) {
		v, ok := values[s.Env]
		if !ok {
			return "", fmt.Errorf("variable %q is not set in the environment of the host", s.Env)
		}
		return v, nil
	}}
}

func hook(url string) spec.Notifier {
	return spec.Notifier{Name: "ops", Webhook: &spec.WebhookURL{URL: url}, Template: spec.TemplateGeneric}
}

func one() []Alert { return examples()["firing"] }

// poll waits for a condition that no event tells of.
func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestWebhookSendsWhoAndWhat(t *testing.T) {
	s := newServer(t)
	n := hook(s.url("/hook?x=1"))
	n.Headers = map[string]string{"X-Team": "payments", "host": "hooks.example.com"}
	n.Secret, n.Token = &spec.Secret{Env: "KEY"}, &spec.Secret{Env: "TOKEN"}
	w := to(n, map[string]string{"KEY": "k", "TOKEN": "t0ken"})
	if o := w.send(t.Context(), one()); o.err != nil {
		t.Fatal(o.err)
	}
	r := s.requests()[0]
	mac := hmac.New(sha256.New, []byte("k"))
	mac.Write([]byte(r.body))
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": one()[0].ID, "X-Team": "payments", "Authorization": "Bearer t0ken",
		"User-Agent": "servicehost/1", "X-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var a Alert
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || a.Title != one()[0].Title || r.method != "POST" || r.path != "/hook" || r.query != "x=1" {
		t.Errorf("%v %+v", err, r)
	}
}

func TestAddressMayBeASecret(t *testing.T) {
	s := newServer(t)
	n := hook("")
	n.Webhook = &spec.WebhookURL{Secret: &spec.Secret{Env: "URL"}}
	n.Template, n.Secret = spec.TemplateDingTalk, &spec.Secret{Env: "KEY"}
	if o := to(n, map[string]string{"URL": s.url("/robot/send?access_token=abc") + "\n", "KEY": "SEC1"}).send(t.Context(), one()); o.err != nil {
		t.Fatal(o.err)
	}
	if q := s.requests()[0].query; !strings.HasPrefix(q, "access_token=abc&timestamp=1") || !strings.Contains(q, "&sign=") {
		t.Errorf("query %s", q)
	}
	for _, bad := range []string{"ftp://x/y", "hooks.example.com/x", "http://", "::"} {
		o := to(n, map[string]string{"URL": bad, "KEY": ""}).send(t.Context(), one())
		if o.err == nil || o.final || strings.Contains(o.err.Error(), bad) {
			t.Errorf("%q: %+v", bad, o)
		}
	}
	if o := to(n, nil).send(t.Context(), one()); o.err == nil || o.final || o.err.Error() != `variable "URL" is not set in the environment of the host` {
		t.Errorf("%+v", o)
	}
}

func TestStatusDecidesWhatFollows(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		code  int
		retry string
		ok    bool
		final bool
		wait  time.Duration
	}{
		{200, "", true, false, 0}, {204, "", true, false, 0}, {400, "", false, true, 0}, {401, "", false, true, 0}, {404, "", false, true, 0}, {410, "", false, true, 0},
		{408, "", false, false, 0}, {429, "7", false, false, 7 * time.Second}, {429, "", false, false, 0}, {500, "", false, false, 0}, {503, "99999999", false, false, waitMost},
		{302, "", false, true, 0}, {304, "", false, true, 0},
	} {
		s.set(func(w http.ResponseWriter, _ *http.Request, _ int) {
			if c.retry != "" {
				w.Header().Set("Retry-After", c.retry)
			}
			w.WriteHeader(c.code)
		})
		o := to(hook(s.url("/")), nil).send(t.Context(), one())
		if (o.err == nil) != c.ok || o.final != c.final || o.wait != c.wait {
			t.Errorf("%d: %+v", c.code, o)
		}
		if o.err != nil && !strings.Contains(o.err.Error(), fmt.Sprintf("it answered %d %s", c.code, http.StatusText(c.code))) {
			t.Errorf("%d: %v", c.code, o.err)
		}
	}
}

func TestRedirectsStayOnTheServer(t *testing.T) {
	other := newServer(t)
	s := newServer(t)
	s.set(func(w http.ResponseWriter, r *http.Request, _ int) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/new?a=b", http.StatusPermanentRedirect)
		case "/away":
			http.Redirect(w, r, other.url("/"), http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
		case "/get":
			http.Redirect(w, r, "/new", http.StatusFound)
		}
	})
	if o := to(hook(s.url("/moved")), nil).send(t.Context(), one()); o.err != nil {
		t.Error(o.err)
	}
	got := s.requests()
	if len(got) != 2 || got[1].path != "/new" || got[1].method != "POST" || got[1].body != got[0].body {
		t.Errorf("%+v", got)
	}
	for path, want := range map[string]string{"/away": "sends to another server", "/loop": "it sends on and on", "/get": "it answered 302 Found"} {
		if o := to(hook(s.url(path)), nil).send(t.Context(), one()); !o.final || !strings.Contains(o.err.Error(), want) {
			t.Errorf("%s: %+v", path, o)
		}
	}
	if len(other.requests()) > 0 {
		t.Error("a message went to another server")
	}
}

func TestErrorsHoldNoSecret(t *testing.T) {
	s := newServer(t)
	const secret = "s3cr3t-path"
	s.set(func(w http.ResponseWriter, r *http.Request, _ int) {
		w.WriteHeader(http.StatusForbidden)
		_, password, _ := r.BasicAuth()
		fmt.Fprintf(w, "no such hook %s with %s and %s and %s", r.URL.String(), r.Header.Get("Authorization"), r.URL.Query().Get("key"), password)
	})
	n := hook(s.url("/services/" + secret + "?key=qu3ry-s3cret"))
	n.Token = &spec.Secret{Env: "TOKEN"}
	values := map[string]string{"TOKEN": "t0ken-s3cret"}
	gone := n
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Webhook = &spec.WebhookURL{URL: "http://" + l.Addr().String() + "/services/" + secret}
	l.Close()
	signed := strings.Replace(s.url("/x"), "http://", "http://bot:p4ss-s3cret@", 1)
	for _, w := range []*webhook{to(n, values), to(hook(signed), nil), to(gone, values), to(hook("http://no-such-host.invalid/"+secret), nil)} {
		o := w.send(t.Context(), one())
		if o.err == nil {
			t.Fatal("it went well")
		}
		for _, text := range []string{o.err.Error(), w.where()} {
			if strings.Contains(text, secret) || strings.Contains(text, "s3cret") || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("bot:p4ss-s3cret"))) {
				t.Errorf("%s", text)
			}
		}
	}
	if where := to(n, nil).where(); where != "http://"+s.address+"/…" {
		t.Errorf("shown as %s", where)
	}
}

func TestSilentReceiverIsGivenUp(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	s.set(func(http.ResponseWriter, *http.Request, int) { <-release })
	n := hook(s.url("/"))
	n.Timeout = 200 * time.Millisecond
	began := time.Now()
	o := to(n, nil).send(t.Context(), one())
	if o.err == nil || o.err.Error() != "no answer within 200ms" || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", o.err, time.Since(began))
	}
}

// A server that takes requests and dies without an answer must not get them a second time from net/http itself.
func TestBrokenConnectionIsNotTriedAgainBelow(t *testing.T) {
	s := newServer(t)
	w := to(hook(s.url("/")), nil)
	if o := w.send(t.Context(), one()); o.err != nil {
		t.Fatal(o.err)
	}
	s.set(func(w http.ResponseWriter, _ *http.Request, _ int) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			c.Close()
		}
	})
	if o := w.send(t.Context(), one()); o.err == nil || o.final {
		t.Errorf("%+v", o)
	}
	if got := s.requests(); len(got) != 2 {
		t.Errorf("%d requests for 2 messages", len(got))
	}
}

func TestTLSOptions(t *testing.T) {
	var got int
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got++ }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		tls spec.TargetTLS
		ok  bool
	}{
		"nobody is trusted": {spec.TargetTLS{}, false}, "by its authority": {spec.TargetTLS{CA: ca}, true}, "by another name": {spec.TargetTLS{CA: ca, ServerName: "example.com"}, true},
		"by a wrong name": {spec.TargetTLS{CA: ca, ServerName: "wrong.test"}, false}, "any": {spec.TargetTLS{Insecure: true}, true}, "no such file": {spec.TargetTLS{CA: ca + ".none"}, false},
	} {
		n := hook(s.URL)
		n.TLS = c.tls
		if o := to(n, nil).send(t.Context(), one()); (o.err == nil) != c.ok || o.final {
			t.Errorf("%s: %+v", what, o)
		}
	}
	if got != 3 {
		t.Errorf("%d requests", got)
	}
}

// A receiver goes away, answers with errors for a time, and cuts connections: everything arrives, and nothing comes
// again that it said it took.
func TestAbsentReceiverMissesNothingAndGetsNothingTwice(t *testing.T) {
	s := newServer(t)
	r := newRig(t)
	o := r.options()
	o.dial = nil
	r.hub = New(o)
	n := notified("ops", 0)
	n.Webhook = &spec.WebhookURL{URL: s.url("/")}
	taken := map[string]int{}
	s.set(func(w http.ResponseWriter, _ *http.Request, n int) {
		if n%4 == 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	r.hub.Apply([]spec.Notifier{n})
	const services = 40
	for i := range services {
		if i == 10 {
			poll(t, "the first messages", func() bool { return len(s.requests()) > 5 })
			s.down()
		}
		r.journal.Append(of(fmt.Sprintf("s%d", i), journal.Failed, ""))
	}
	poll(t, "trouble", func() bool { return r.hub.Stats()[0].State == StateTrouble && r.hub.Stats()[0].Waiting > 20 })
	r.close(100 * time.Millisecond) // the host is restarted meanwhile
	r.hub = New(o)
	r.hub.Apply([]spec.Notifier{n})
	s.up()
	s.set(nil)
	poll(t, "everything", func() bool { return r.hub.Stats()[0].Waiting == 0 })
	for _, got := range s.requests() {
		var a Alert
		if err := json.Unmarshal([]byte(got.body), &a); err != nil {
			t.Fatal(err)
		}
		if a.ID != got.header.Get("Idempotency-Key") {
			t.Errorf("the key of %s is %s", a.ID, got.header.Get("Idempotency-Key"))
		}
		if got.status < 300 {
			taken[a.Service]++
		}
	}
	for i := range services {
		if name := fmt.Sprintf("s%d", i); taken[name] != 1 {
			t.Errorf("%s was taken %d times", name, taken[name])
		}
	}
}

func TestProgramGetsTheAlert(t *testing.T) {
	var got Program
	var body []byte
	dir := filepath.Join(t.TempDir(), "notify")
	var answer error
	p := &program{Notifier: spec.Notifier{Name: "exec.1", Exec: []string{"tell.exe", "--key", "s3cret"}, Timeout: 5 * time.Second}, dir: dir, run: func(ctx context.Context, p Program) error {
		if d, ok := ctx.Deadline(); !ok || time.Until(d) > 5*time.Second {
			t.Error("it has no deadline")
		}
		got = p
		var err error
		if body, err = os.ReadFile(p.StdinFile); err != nil {
			t.Error(err)
		}
		return answer
	}}
	if o := p.send(t.Context(), one()); o.err != nil {
		t.Fatal(o.err)
	}
	var a Alert
	if err := json.Unmarshal(body, &a); err != nil || a.ID != one()[0].ID {
		t.Errorf("%v in %s", err, body)
	}
	env := strings.Join(got.Env, "\n")
	for _, want := range []string{"HOST_EVENT=failed", "HOST_STATUS=firing", "HOST_SERVICE=api", "HOST_INSTANCE=2", "HOST_NAME=orders-01", "HOST_COUNT=4", "HOST_TITLE=api.2 has failed, 4 times", "HOST_MESSAGE_ID=" + a.ID} {
		if !strings.Contains("\n"+env+"\n", "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	answer = errors.New("exit 3: no route")
	if o := p.send(t.Context(), one()); o.final || o.err != answer {
		t.Errorf("%+v", o)
	}
	answer = context.DeadlineExceeded
	if o := p.send(t.Context(), one()); o.err == nil || o.err.Error() != "not done after 5s" || strings.Contains(p.where(), "s3cret") {
		t.Errorf("%+v %s", o, p.where())
	}
	if _, err := input(dir, []byte("left by a host that was killed")); err != nil {
		t.Fatal(err)
	}
	sweep(dir)
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("not swept: %v", left)
	}
}
