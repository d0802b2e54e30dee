package probe

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

// once asks one question as a worker does.
func once(t *testing.T, a asker, timeout time.Duration) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return a.ask(ctx, timeout)
}

func askHTTP(t *testing.T, p spec.Probe) answer {
	t.Helper()
	return once(t, newHTTP(p, &tlsFiles{}), 5*time.Second)
}

// web serves a few answers; "ELSEWHERE" is an address of another host name at the same server.
func web(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	for _, code := range []int{200, 204, 302, 304, 399, 400, 404, 503} {
		mux.HandleFunc(fmt.Sprintf("/status/%d", code), func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) })
	}
	mux.HandleFunc("/body", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"status": "UP"}`) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", maxBody), "needle")
	})
	mux.HandleFunc("/method", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "by "+r.Method) })
	mux.HandleFunc("/seen", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprintf(w, "host=%s agent=%s x=%s close=%v user=%s:%s query=%s", r.Host, r.UserAgent(), r.Header.Get("X-Probe"), r.Close, user, password, r.URL.RawQuery)
	})
	mux.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	mux.HandleFunc("/to/here", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/body", http.StatusFound) })
	mux.HandleFunc("/to/bad", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/status/503", http.StatusFound) })
	mux.HandleFunc("/to/itself", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/to/itself", http.StatusFound) })
	mux.HandleFunc("/to/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://other.invalid/login?token=secret", http.StatusFound)
	})
	mux.HandleFunc("/to/file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/to/method", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/method", http.StatusTemporaryRedirect)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestHTTPProbe(t *testing.T) {
	s := web(t)
	ranges := func(r ...spec.StatusRange) []spec.StatusRange { return r }
	for _, c := range []struct {
		path    string
		p       spec.Probe
		problem string
		warning string
	}{
		{path: "/status/200"},
		{path: "/status/204"},
		{path: "/status/399"},
		{path: "/status/304"},
		{path: "/status/302"}, // leads nowhere
		{path: "/status/400", problem: "status 400, wanted 200-399"},
		{path: "/status/503", problem: "status 503, wanted 200-399"},
		{path: "/status/503", p: spec.Probe{Status: ranges(spec.StatusRange{From: 200, To: 299}, spec.StatusRange{From: 503, To: 503})}},
		{path: "/status/302", p: spec.Probe{Status: ranges(spec.StatusRange{From: 200, To: 299}, spec.StatusRange{From: 204, To: 204})}, problem: "status 302, wanted 200-299, 204"},
		{path: "/early"},
		{path: "/body", p: spec.Probe{Body: `"status":\s*"UP"`}},
		{path: "/body", p: spec.Probe{Body: `DOWN`}, problem: `status 200, but the body does not match "DOWN"`},
		{path: "/long", p: spec.Probe{Body: `^x+`}},
		{path: "/long", p: spec.Probe{Body: `needle`}, problem: `status 200, but the body does not match "needle"`},
		{path: "/long"},
		{path: "/method", p: spec.Probe{Method: "POST", Body: "^by POST$"}},
		{path: "/method", p: spec.Probe{Method: "HEAD"}},
		{path: "/to/method", p: spec.Probe{Method: "POST", Body: "^by POST$"}},
		{path: "/to/here", p: spec.Probe{Method: "POST", Body: "UP"}},
		{path: "/to/here", p: spec.Probe{Status: ranges(spec.StatusRange{From: 302, To: 302})}},
		{path: "/to/bad", problem: "status 503, wanted 200-399"},
		{path: "/to/itself", problem: "redirected more than 10 times"},
		{path: "/to/elsewhere", warning: "status 302 (to http://other.invalid/login, which is not asked)"},
		{path: "/to/elsewhere", p: spec.Probe{Status: ranges(spec.StatusRange{From: 200, To: 299})}, problem: "status 302 (to http://other.invalid/login, which is not asked), wanted 200-299"},
		{path: "/to/file", warning: "status 302 (to file:///etc/passwd, which is not asked)"},
		{path: "/seen?a=b", p: spec.Probe{Headers: map[string]string{"host": "shop.example", "X-Probe": "1"},
			Body: `^host=shop\.example agent=servicehost-probe x=1 close=true user=: query=a=b$`}},
	} {
		c.p.HTTP = s.URL + c.path
		if got := askHTTP(t, c.p); got.problem != c.problem || got.warning != c.warning {
			t.Errorf("%s %+v:\n got  %q, %q\n want %q, %q", c.path, c.p, got.problem, got.warning, c.problem, c.warning)
		}
	}
}

func TestHTTPProbeSendsTheUserOfTheAddress(t *testing.T) {
	s := web(t)
	address := strings.Replace(s.URL, "http://", "http://me:hush@", 1) + "/seen?key=hush"
	if got := askHTTP(t, spec.Probe{HTTP: address, Body: "user=me:hush"}); got.problem != "" {
		t.Error(got)
	}
	if shown := shownURL(address); strings.Contains(shown, "hush") || !strings.HasSuffix(shown, "/seen") {
		t.Errorf("a reason would tell a secret: %s", shown)
	}
}

func TestHTTPProbeKnowsNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("ALL_PROXY", "http://127.0.0.1:1")
	s := web(t)
	if got := askHTTP(t, spec.Probe{HTTP: s.URL + "/body"}); got.problem != "" {
		t.Error(got)
	}
}

// raw answers every connection by f.
func raw(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func readHead(c net.Conn) {
	b := make([]byte, 4096)
	_, _ = c.Read(b)
}

func TestHTTPProbeOfWhatIsNoServer(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(net.Conn)
		url   string
		want  string
	}{
		"closes":    {func(c net.Conn) { readHead(c) }, "http://", "the connection was closed without an answer"},
		"a mailer":  {func(c net.Conn) { _, _ = c.Write([]byte("220 mail.example ESMTP\r\n")) }, "http://", `what answers speaks no HTTP: malformed HTTP status code "mail.example"`},
		"no TLS":    {func(c net.Conn) { readHead(c); _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, "https://", "what answers speaks no TLS"},
		"no end":    {func(c net.Conn) { readHead(c); endless(c, "HTTP/1.1 200 OK\r\n", "X-A: b\r\n") }, "http://", "its headers are too long"},
		"interims":  {func(c net.Conn) { readHead(c); endless(c, "", "HTTP/1.1 102 Processing\r\n\r\n") }, "http://", "status 102, wanted 200-399"},
		"long body": {func(c net.Conn) { readHead(c); endless(c, "HTTP/1.1 200 OK\r\n\r\n", "data: x\n") }, "http://", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := askHTTP(t, spec.Probe{HTTP: c.url + raw(t, c.serve)})
			if got.problem != c.want {
				t.Errorf("got %q, want %q", got.problem, c.want)
			}
			if got.nobody {
				t.Error("somebody was there")
			}
		})
	}
}

// endless writes until the other side has enough.
func endless(c net.Conn, head, again string) {
	_, err := c.Write([]byte(head))
	for err == nil {
		_, err = c.Write([]byte(strings.Repeat(again, 100)))
	}
}

func TestHTTPProbeHasATimeout(t *testing.T) {
	const timeout = 300 * time.Millisecond
	for name, c := range map[string]struct {
		head string
		url  string
		body string
		want string
	}{
		"silent":       {url: "http://", want: "no answer within 300ms"},
		"slow head":    {url: "http://", head: "HTTP/1.1 200 OK\r\nX-", want: "no answer within 300ms"},
		"slow body":    {url: "http://", head: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", body: "xyz", want: "no answer within 300ms"},
		"enough of it": {url: "http://", head: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", body: "abc"},
		"silent TLS":   {url: "https://", want: "no TLS handshake within 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			address := raw(t, func(conn net.Conn) {
				readHead(conn)
				_, _ = conn.Write([]byte(c.head))
				readHead(conn) // until the probe has given up
			})
			begin := time.Now()
			got := once(t, newHTTP(spec.Probe{HTTP: c.url + address, Body: c.body}, &tlsFiles{}), timeout)
			if got.problem != c.want {
				t.Errorf("got %q, want %q", got.problem, c.want)
			}
			if took := time.Since(begin); took > 10*timeout {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestHTTPProbeIsGivenUpWhenStopped(t *testing.T) {
	reached := make(chan struct{}, 1)
	address := raw(t, func(c net.Conn) {
		readHead(c)
		reached <- struct{}{}
		readHead(c)
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	done := make(chan answer)
	go func() { done <- newHTTP(spec.Probe{HTTP: "http://" + address}, &tlsFiles{}).ask(ctx, time.Hour) }()
	<-reached
	cancel()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("still asking")
	}
}

func TestBrokenQuestionsSayWhy(t *testing.T) {
	for _, c := range []struct {
		p    spec.Probe
		want string
	}{
		{spec.Probe{HTTP: "ftp://x/"}, "it is no http or https address"},
		{spec.Probe{HTTP: "http://"}, "it is no http or https address"},
		{spec.Probe{HTTP: "http://127.0.0.1:99999/"}, "its port is none"},
		{spec.Probe{HTTP: "http://127.0.0.1/", Body: "("}, "body: error parsing regexp: missing closing ): `(`"},
		{spec.Probe{HTTP: "http://127.0.0.1/", Method: "NO METHOD"}, "no request can be made of it"},
	} {
		if got := askHTTP(t, c.p); got.problem != c.want {
			t.Errorf("%+v: got %q, want %q", c.p, got.problem, c.want)
		}
	}
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func certificate(c tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}

func TestHTTPSProbeVerifies(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS.DidResume) }))
	s.Config.ErrorLog = quietLog()
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := writeFile(t, "ca.pem", certificate(s.TLS.Certificates[0]))
	empty := writeFile(t, "empty.pem", []byte("nothing"))
	for _, c := range []struct {
		name string
		tls  spec.TargetTLS
		want string
	}{
		{"unknown CA", spec.TargetTLS{}, "signed by unknown authority; name its CA in tls.ca, or set tls.insecure"},
		{"CA", spec.TargetTLS{CA: ca}, ""},
		{"CA and name", spec.TargetTLS{CA: ca, ServerName: "example.com"}, ""},
		{"another name", spec.TargetTLS{CA: ca, ServerName: "other.example"}, "certificate is valid for"},
		{"insecure", spec.TargetTLS{Insecure: true}, ""},
		{"no CA in it", spec.TargetTLS{CA: empty}, " holds no certificate in PEM"},
		{"no such file", spec.TargetTLS{CA: ca + ".gone"}, "cannot read tls.ca: "},
		{"no such key", spec.TargetTLS{CA: ca, Cert: ca, Key: ca + ".gone"}, "cannot use tls.cert "},
	} {
		got := askHTTP(t, spec.Probe{HTTP: s.URL, TLS: c.tls})
		if (c.want == "") != (got.problem == "") || !strings.Contains(got.problem, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got.problem, c.want)
		}
	}
	a := newHTTP(spec.Probe{HTTP: s.URL, TLS: spec.TargetTLS{CA: ca}, Body: "true"}, &tlsFiles{})
	if got := once(t, a, 5*time.Second); got.problem == "" {
		t.Error("the first session can't be resumed")
	}
	if got := once(t, a, 5*time.Second); got.problem != "" {
		t.Errorf("the second is not: %s", got.problem)
	}
}

func TestHTTPSProbeSeesRenewedFiles(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = quietLog()
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := writeFile(t, "ca.pem", []byte("nothing yet"))
	a := newHTTP(spec.Probe{HTTP: s.URL, TLS: spec.TargetTLS{CA: ca}}, &tlsFiles{})
	if got := once(t, a, 5*time.Second); got.problem == "" {
		t.Fatal("trusted without a CA")
	}
	if err := os.WriteFile(ca, certificate(s.TLS.Certificates[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := once(t, a, 5*time.Second); got.problem != "" {
		t.Error(got.problem)
	}
	if err := os.WriteFile(ca, []byte("a broken renewal"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := once(t, a, 5*time.Second); !strings.Contains(got.problem, "no certificate in ") {
		t.Errorf("%+v", got)
	}
}
