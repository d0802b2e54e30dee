package forward

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/logs"
	"servicehost/spec"
)

// request is what a server got.
type request struct {
	path   string
	header http.Header
	body   []byte
}

// server answers with what answer says; 204 without one.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(n int, r request, w http.ResponseWriter)
}

func newServer(t *testing.T, secure bool, answer func(n int, r request, w http.ResponseWriter)) *server {
	s := &server{answer: answer}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		req := request{r.URL.Path, r.Header, b}
		s.got = append(s.got, req)
		if s.answer != nil {
			s.answer(len(s.got), req, w)
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	})
	s.Server = httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of those who don't trust it
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func status(codes ...int) func(int, request, http.ResponseWriter) {
	return func(n int, _ request, w http.ResponseWriter) { w.WriteHeader(codes[min(n, len(codes))-1]) }
}

func newPeer(kind spec.TargetType, url string) peer {
	return peer{
		LogTarget: spec.LogTarget{Type: kind, URL: url, Compress: spec.CompressGzip, Timeout: 5 * time.Second, Facility: "local3",
			Labels: map[string]string{"env": "prod", "a b": `x"y`}},
		host: "orders-01", agent: "servicehost/1", ring: func() {},
		secret: func(context.Context, spec.Secret) (string, error) { return "", errors.New("there is none") },
	}
}

func transportOf(t *testing.T, p peer) transport {
	t.Helper()
	tr, err := newTransport(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.close)
	return tr
}

// records of two services and both streams.
func someRecords(t *testing.T) []record {
	t.Helper()
	at := time.Unix(1700000000, 123456789)
	return recordsOf(t,
		logs.Record{Time: at, Service: "api", Instance: 2, ID: "api.2", Stream: "stdout", Text: []byte("one \"quoted\" \\ 中")},
		logs.Record{Time: at.Add(1), Service: "web", Instance: 1, ID: "web", Stream: "stdout", Text: []byte("two\nlines")},
		logs.Record{Time: at.Add(2), Service: "api", Instance: 2, ID: "api.2", Stream: "stderr", Text: []byte("bad \xff byte")},
		logs.Record{Time: at.Add(3), Service: "api", Instance: 2, ID: "api.2", Stream: "stdout", Text: nil},
	)
}

func recordsOf(t *testing.T, in ...logs.Record) []record {
	t.Helper()
	var b []byte
	for _, r := range in {
		b = appendRecord(b, r, r.Time.UnixNano())
	}
	rs, err := appendRecords(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func manyRecords(t *testing.T, n int) []record {
	in := make([]logs.Record, n)
	for i := range in {
		in[i] = line(i)
	}
	return recordsOf(t, in...)
}

func TestLokiGetsStreamsWithLabels(t *testing.T) {
	s := newServer(t, false, nil)
	o := transportOf(t, newPeer(spec.TargetLoki, s.URL)).send(t.Context(), someRecords(t))
	if o.err != nil || o.done != 4 || o.refused != 0 {
		t.Fatalf("%+v", o)
	}
	r := s.got[0]
	if r.path != "/loki/api/v1/push" || r.header.Get("Content-Type") != "application/json" || r.header.Get("User-Agent") != "servicehost/1" {
		t.Errorf("%s %v", r.path, r.header)
	}
	var got struct {
		Streams []struct {
			Stream map[string]string
			Values [][2]string
		}
	}
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	want := `[{map[a_b:x"y env:prod host:orders-01 instance:2 service:api stream:stdout] [[1700000000123456789 one "quoted" \ 中] [1700000000123456792 ]]} ` +
		`{map[a_b:x"y env:prod host:orders-01 instance:1 service:web stream:stdout] [[1700000000123456790 two` + "\n" + `lines]]} ` +
		`{map[a_b:x"y env:prod host:orders-01 instance:2 service:api stream:stderr] [[1700000000123456791 bad ` + "\ufffd" + ` byte]]}]`
	if text := fmt.Sprint(got.Streams); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestLinesHaveTheFieldsOfTheJSONFormat(t *testing.T) {
	s := newServer(t, false, nil)
	p := newPeer(spec.TargetJSON, s.URL+"/in?x=1")
	p.Compress = spec.CompressNone
	p.Labels["stream"] = "own"
	if o := transportOf(t, p).send(t.Context(), someRecords(t)); o.err != nil || o.done != 4 {
		t.Fatalf("%+v", o)
	}
	r := s.got[0]
	if r.path != "/in" || r.header.Get("Content-Encoding") != "" || r.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%s %v", r.path, r.header)
	}
	lines := strings.Split(strings.TrimSuffix(string(r.body), "\n"), "\n")
	want := `{"time":"2023-11-14T22:13:20.123456789Z","host":"orders-01","service":"api","instance":2,"line":"one \"quoted\" \\ 中","a b":"x\"y","env":"prod","stream":"own"}`
	if len(lines) != 4 || lines[0] != want {
		t.Errorf("%d lines, the first\n%s\nwant\n%s", len(lines), lines[0], want)
	}
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Errorf("no JSON: %s", l)
		}
	}
}

func TestStatusDecidesWhatBecomesOfABatch(t *testing.T) {
	for code, want := range map[int]string{
		200: "taken", 204: "taken", 301: "kept", 400: "refused", 401: "kept", 403: "kept", 404: "kept", 408: "kept", 413: "refused",
		415: "refused", 422: "refused", 429: "kept", 500: "kept", 503: "kept",
	} {
		s := newServer(t, false, func(_ int, _ request, w http.ResponseWriter) {
			w.Header().Set("Retry-After", "17")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(code)
			if code >= 300 {
				fmt.Fprint(w, "no such tenant\nmore")
			}
		})
		o := transportOf(t, newPeer(spec.TargetLoki, s.URL)).send(t.Context(), manyRecords(t, 1))
		got := "taken"
		switch {
		case o.err != nil && o.done == 0:
			got = "kept"
			if want := fmt.Sprintf("it answered %d %s: no such tenant", code, http.StatusText(code)); o.err.Error() != want || o.wait != 17*time.Second {
				t.Errorf("%d: %v, wait %v", code, o.err, o.wait)
			}
		case o.refused == 1 && o.done == 1 && o.err == nil:
			got = "refused"
			if !strings.HasSuffix(o.why, ": no such tenant") {
				t.Errorf("%d: %s", code, o.why)
			}
		}
		if got != want {
			t.Errorf("%d: %s, want %s: %+v", code, got, want, o)
		}
	}
}

func TestTooLargeRequestsAreSplit(t *testing.T) {
	var got []string
	s := newServer(t, false, func(n int, r request, w http.ResponseWriter) {
		lines := strings.Split(strings.TrimSpace(string(r.body)), "\n")
		if len(lines) > 300 || strings.Contains(string(r.body), `"line":"77"`) && len(lines) > 0 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		for _, l := range lines {
			var v struct{ Line string }
			if err := json.Unmarshal([]byte(l), &v); err != nil {
				t.Error(err)
			}
			got = append(got, v.Line)
		}
	})
	tr := transportOf(t, newPeer(spec.TargetJSON, s.URL))
	o := tr.send(t.Context(), manyRecords(t, 1000))
	if o.err != nil || o.done != 1000 || o.refused != 1 {
		t.Errorf("%+v", o)
	}
	numbers(t, got[:77], 0, 77)
	numbers(t, got[77:], 78, 1000)
}

// TestSecretsAreReadAgainWhenRefused: a token that was replaced in its file is used without a reload, and none
// is ever shown.
func TestSecretsAreReadAgainWhenRefused(t *testing.T) {
	token, reads := "first-token", 0
	s := newServer(t, false, func(_ int, r request, w http.ResponseWriter) {
		if r.header.Get("Authorization") != "Bearer second-token" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "bad %s", r.header.Get("Authorization"))
		}
	})
	p := newPeer(spec.TargetLoki, s.URL)
	p.Token = &spec.Secret{File: "token"}
	p.secret = func(_ context.Context, from spec.Secret) (string, error) {
		reads++
		if from.File != "token" {
			t.Errorf("asked for %v", from)
		}
		return token, nil
	}
	tr := transportOf(t, p)
	o := tr.send(t.Context(), manyRecords(t, 1))
	if o.err == nil || strings.Contains(o.err.Error(), "first-token") || !strings.Contains(o.err.Error(), "bad Bearer ***") {
		t.Errorf("%+v", o)
	}
	token = "second-token"
	for range 3 {
		if o := tr.send(t.Context(), manyRecords(t, 1)); o.err != nil {
			t.Errorf("%+v", o)
		}
	}
	if reads != 2 {
		t.Errorf("read %d times", reads)
	}
	s.mu.Lock()
	s.answer = func(_ int, r request, w http.ResponseWriter) {
		if r.header.Get("Authorization") != "Bearer third" {
			w.WriteHeader(http.StatusForbidden)
		}
	}
	s.mu.Unlock()
	token = "third"
	if o := tr.send(t.Context(), manyRecords(t, 1)); o.err != nil {
		t.Errorf("a replaced token: %+v", o)
	}
}

func TestPasswordIsBasicAuthentication(t *testing.T) {
	s := newServer(t, false, nil)
	p := newPeer(spec.TargetLoki, s.URL)
	p.User, p.Password = "me", &spec.Secret{Env: "P"}
	p.Headers = map[string]string{"X-Scope-OrgID": "tenant"}
	p.secret = func(context.Context, spec.Secret) (string, error) { return "pw", nil }
	if o := transportOf(t, p).send(t.Context(), manyRecords(t, 1)); o.err != nil {
		t.Fatal(o.err)
	}
	r := http.Request{Header: s.got[0].header}
	if user, pw, _ := r.BasicAuth(); user != "me" || pw != "pw" || r.Header.Get("X-Scope-Orgid") != "tenant" {
		t.Errorf("%v", r.Header)
	}
	p.secret = func(context.Context, spec.Secret) (string, error) { return "", errors.New("cannot read secret file") }
	if o := transportOf(t, p).send(t.Context(), manyRecords(t, 1)); o.err == nil || o.err.Error() != "cannot read secret file" {
		t.Errorf("%+v", o)
	}
}

// TestErrorsDoNotShowTheAddress: some put a key into it.
func TestErrorsDoNotShowTheAddress(t *testing.T) {
	p := newPeer(spec.TargetJSON, "http://127.0.0.1:1/in?key=geheim")
	o := transportOf(t, p).send(t.Context(), manyRecords(t, 1))
	if o.err == nil || strings.Contains(o.err.Error(), "geheim") {
		t.Errorf("%v", o.err)
	}
}

func TestSilentServerIsGivenUp(t *testing.T) {
	hold := make(chan struct{})
	s := newServer(t, false, func(int, request, http.ResponseWriter) { <-hold })
	defer close(hold)
	p := newPeer(spec.TargetJSON, s.URL)
	p.Timeout = 50 * time.Millisecond
	if o := transportOf(t, p).send(t.Context(), manyRecords(t, 1)); o.err == nil || !strings.Contains(o.err.Error(), "50ms") {
		t.Errorf("%v", o.err)
	}
}
