package control

import (
	"net/http"
	"testing"
	"time"
)

func TestReportIsAskedForAPeriod(t *testing.T) {
	f := newFakeHost()
	_, c := serve(t, testDir(t), f, Entry{})
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r, err := c.Report(t.Context(), ReportRequest{Names: []string{"api", "web.2"}, Since: since})
	if err != nil || len(r.Services) != 1 || r.Services[0].Outages != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	for query, ago := range map[string]time.Duration{"since=7d": 7 * 24 * time.Hour, "": 0} {
		f.reports = f.reports[:1]
		if _, err := ask[Report](t.Context(), c, "GET", "/v1/report?"+query, nil); err != nil {
			t.Fatal(err)
		}
		got := f.reports[1].Since
		if ago == 0 && !got.IsZero() || ago > 0 && time.Since(got).Round(time.Minute) != ago {
			t.Errorf("%q: since %v", query, got)
		}
	}
	if q := f.reports[0]; len(q.Names) != 2 || !q.Since.Equal(since) {
		t.Errorf("asked for %+v", q)
	}
	_, err = ask[Report](t.Context(), c, "GET", "/v1/report?since=yesterday", nil)
	if e, ok := err.(*Error); !ok || e.Status != http.StatusBadRequest || e.Hint == "" {
		t.Errorf("%v", err)
	}
}
