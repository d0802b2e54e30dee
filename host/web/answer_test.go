package web

import (
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"servicehost/host/control"
)

func unzip(t *testing.T, a answerOf) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLongAnswersAreCompressed(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	gz := with("Accept-Encoding", "br, gzip;q=0.8")
	if a := r.get(base+"/api/v1/graph", bearer(readToken1), gz); a.header.Get("Content-Encoding") != "" {
		t.Error("a short answer is compressed")
	}
	r.host.change(func(s *control.Status) { s.Services = services(1000) })
	plain := r.get(base+"/api/v1/status", bearer(readToken1))
	a := r.get(base+"/api/v1/status", bearer(readToken1), gz)
	if a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Vary") == "" || len(a.body) > len(plain.body)/5 {
		t.Fatalf("%d of %d bytes, %v", len(a.body), len(plain.body), a.header)
	}
	if unzip(t, a) != plain.body {
		t.Error("not the same")
	}
	for _, none := range []string{"", "identity", "gzip;q=0", "xgzip"} {
		if a := r.get(base+"/api/v1/status", bearer(readToken1), with("Accept-Encoding", none)); a.header.Get("Content-Encoding") != "" {
			t.Errorf("%q gets %s", none, a.header.Get("Content-Encoding"))
		}
	}
	r.host.logs = 1000
	if a := r.get(base+"/api/v1/logs", bearer(readToken1), gz); a.header.Get("Content-Encoding") != "" || strings.Count(a.body, "\n") != 1000 {
		t.Errorf("a stream: %v", a.header)
	}
}

func TestPageIsServedAsItIs(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	for path, kind := range map[string]string{"/": "text/html; charset=utf-8", "/assets/app.js": "text/javascript; charset=utf-8", "/assets/vendor/uPlot.css": "text/css; charset=utf-8", "/favicon.ico": "image/svg+xml"} {
		if a := r.get(base+path).want(t, path, 200); a.header.Get("Content-Type") != kind || a.body == "" {
			t.Errorf("%s is %s", path, a.header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/index.html", "/assets/index.html", "/assets/", "/assets/../index.html", "/assets/vendor", "/assets/vendor/secret.exe", "/assets/%2e%2e/app.js", "/app.js", "/assets//app.js", `/assets/vendor\uPlot.css`} {
		r.get(base+path).want(t, path, 404)
	}
	plain := r.get(base + "/assets/app.js")
	a := r.get(base+"/assets/app.js", with("Accept-Encoding", "gzip"))
	if a.header.Get("Content-Encoding") != "gzip" || unzip(t, a) != plain.body || a.header.Get("ETag") == plain.header.Get("ETag") {
		t.Errorf("%v", a.header)
	}
	for _, one := range []answerOf{plain, a} {
		again := r.get(base+"/assets/app.js", with("Accept-Encoding", one.header.Get("Content-Encoding")), with("If-None-Match", `"x", W/`+one.header.Get("ETag")))
		if again.status != 304 || again.body != "" {
			t.Errorf("again: %d", again.status)
		}
	}
	r.get(base+"/assets/app.js", with("If-None-Match", `"x"`)).want(t, "another version", 200)
}

func TestReadyzNamesWhatIsNotAsDesired(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	if a := r.get(base+"/readyz").want(t, "all well", 200); a.body != "ok\n" {
		t.Error(a.body)
	}
	r.host.change(func(s *control.Status) {
		s.Host.Spec.State = control.SpecRejected // a bad edit costs nothing
	})
	r.get(base+"/readyz").want(t, "a rejected edit", 200)
	r.host.change(func(s *control.Status) {
		s.Services[1].AsDesired, s.Services[1].State = false, "backoff"
		s.Services[0].AsDesired, s.Services[0].Health = false, "unhealthy"
	})
	if a := r.get(base+"/readyz").want(t, "not well", 503); a.body != "s0000: running, unhealthy\ns0001: backoff\n" {
		t.Errorf("%q", a.body)
	}
	r.get(base+"/healthz").want(t, "healthz meanwhile", 200)
	r.host.change(func(s *control.Status) { s.Services, s.Host.Stopping = services(1), true })
	if a := r.get(base+"/readyz").want(t, "stopping", 503); !strings.Contains(a.body, "stopping") {
		t.Error(a.body)
	}
	if a := r.get(base+"/metrics").want(t, "metrics", 200); a.body != "servicehost_up 1\n" {
		t.Error(a.body)
	}
}
