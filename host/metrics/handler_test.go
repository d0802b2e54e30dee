package metrics

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandlerNamesTheFormat(t *testing.T) {
	for accept, want := range map[string]string{
		"":                             "text/plain; version=0.0.4; charset=utf-8",
		"application/openmetrics-text": "application/openmetrics-text; version=1.0.0; charset=utf-8",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			r := httptest.NewRequest(method, "/metrics", nil)
			r.Header.Set("Accept", accept)
			w := httptest.NewRecorder()
			full().ServeHTTP(w, r)
			if got := w.Header().Get("Content-Type"); got != want || w.Code != http.StatusOK {
				t.Errorf("%s %q answers %d, %s", method, accept, w.Code, got)
			}
			if (w.Body.Len() > 0) != (method == "GET") {
				t.Errorf("%s answers %d bytes", method, w.Body.Len())
			}
		}
	}
}

func TestScrapeFromAnotherMachineIsCompressed(t *testing.T) {
	for _, c := range []struct {
		from, takes string
		want        bool
	}{
		{"192.0.2.7:4711", "gzip", true},
		{"192.0.2.7:4711", "br, GZIP;q=0.5", true},
		{"[2001:db8::1]:4711", "gzip, deflate", true},
		{"192.0.2.7:4711", "", false},
		{"192.0.2.7:4711", "gzip;q=0", false},
		{"192.0.2.7:4711", "gzip; q=0.000", false},
		{"127.0.0.1:4711", "gzip", false},
		{"[::1]:4711", "gzip", false},
		{"@", "gzip", false}, // a Unix socket
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = c.from
		r.Header.Set("Accept-Encoding", c.takes)
		w := httptest.NewRecorder()
		full().ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != c.want {
			t.Errorf("%s, %q: compressed is %v", c.from, c.takes, got)
		}
		var body io.Reader = w.Body
		if c.want {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		b, err := io.ReadAll(body)
		if err != nil || !strings.Contains(string(b), "\nservicehost_job_skipped_runs_total{") {
			t.Errorf("%s, %q: %v, %d bytes", c.from, c.takes, err, len(b))
		}
	}
}
