package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

func TestReportAsTextAndJSON(t *testing.T) {
	runDir(t)
	whole, most, mttr, mtbf := 100.0, 99.981, 24.0, 2*24*3600.0
	begin := time.Date(2026, 1, 10, 12, 0, 0, 0, time.Local) // in the week after it no clocks are set
	f := &fakeHost{status: orders(), report: control.Report{
		Since: begin, Until: begin.AddDate(0, 0, 7), KnownSince: &begin, Availability: &most, Host: journal.HostReport{Starts: 3, Crashes: 1, DownSeconds: 7200},
		Services: []journal.ServiceReport{
			{ID: "api.1", Name: "api", Instance: 1, Availability: &most, DownSeconds: 72, Outages: 3, MTTRSeconds: &mttr, MTBFSeconds: &mtbf, Restarts: 4, RestartsBy: map[string]int{"start_failed": 1, "exit": 3},
				LongestOutage: &journal.Outage{From: begin, Seconds: 48, Reason: "exit 3\x1b[2J"}, UnknownSeconds: 3600},
			{ID: "batch", Name: "batch", Instance: 1, PlannedSeconds: 5, Runs: 12, FailedRuns: 2, SkippedRuns: 1},
			{ID: "web", Name: "web", Instance: 1, Availability: &whole, LongestOutage: &journal.Outage{From: begin, Seconds: 90, Reason: "crash loop", Ongoing: true}},
		}}}
	serve(t, f, "orders-01", "services.yaml")
	r := invoke("report")
	for _, want := range []string{
		"2026-01-10 12:00 to 2026-01-17 12:00, 7d: 99.981% up\n", "the journal begins at 2026-01-10 12:00", "no host ran for 2h in all; it was started 3 times, 1 of them after a crash",
		"api.1   99.981%  1m12s       0s        3   24s    2d         4  restarts: exit 3, start failed 1; longest outage 48s at 2026-01-10 12:00: exit 3[2J; unknown for 1h",
		"batch         -      -       5s        0     -     -         0  12 runs, 2 failed, 1 left out",
		"web        100%     0s       0s        0     -     -         0  down for 1m30s: crash loop",
	} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("exit %d, no %q in\n%s%s", r.code, want, r.stdout, r.stderr)
		}
	}
	var got control.Report
	if r := invoke("report", "api", "--since", "30d", "-o", "json"); r.code != 0 || json.Unmarshal([]byte(r.stdout), &got) != nil || len(got.Services) != 3 || *got.Services[0].MTTRSeconds != 24 {
		t.Errorf("%+v", r)
	}
	if r := invoke("report", "bach"); r.code != 1 || !strings.Contains(r.stderr, "did you mean") {
		t.Errorf("%+v", r)
	}
	if q := f.reports[0]; time.Since(q.Since) < 7*24*time.Hour-time.Minute || len(q.Names) != 0 {
		t.Errorf("asked for %+v", q)
	}
	if q := f.reports[1]; time.Since(q.Since) < 30*24*time.Hour-time.Minute || len(q.Names) != 1 {
		t.Errorf("asked for %+v", q)
	}
}

func TestReportFromDisk(t *testing.T) {
	dir := runDir(t)
	if err := os.WriteFile("services.yaml", []byte("services:\n  api:\n    command: [\"x\"]\n  web:\n    command: [\"x\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded := spec.Load(spec.Options{Files: []string{filepath.Join(dir, "services.yaml")}})
	if loaded.Spec == nil {
		t.Fatal(loaded.Problems)
	}
	j, err := journal.Open(filepath.Join(loaded.Spec.Host.StateDir, "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	j.Append(journal.Event{Time: at, Kind: journal.HostStarted})
	for n, to := range []string{"running", "backoff", "running"} {
		j.Append(journal.Event{Time: at.Add(time.Duration(n) * 10 * time.Minute), Kind: journal.StateChanged, Service: "api", Instance: 1, ID: "api", To: to, Reason: "exit 3"})
	}
	j.Append(journal.Event{Time: at.Add(40 * time.Minute), Kind: journal.HostStopping})
	j.Append(journal.Event{Time: at.Add(40 * time.Minute), Kind: journal.HostStopped})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	var got control.Report
	r := invoke("report", "--since", "2h", "-o", "json")
	if r.code != 0 || json.Unmarshal([]byte(r.stdout), &got) != nil || len(got.Services) != 1 {
		t.Fatalf("%+v", r)
	}
	if s := got.Services[0]; s.UpSeconds != 1800 || s.DownSeconds != 600 || s.HostDownSeconds < 1199 || s.UnknownSeconds < 3599 || s.Outages != 1 || s.LongestOutage.Reason != "exit 3" || *s.Availability != 75 {
		t.Errorf("%s", r.stdout)
	}
	if r := invoke("report", "web"); r.code != 1 || !strings.Contains(r.stderr, "nothing is known of service") {
		t.Errorf("%+v", r)
	}
	if r := invoke("report", "nobody"); r.code != 1 || !strings.Contains(r.stderr, "no service") {
		t.Errorf("%+v", r)
	}
}
