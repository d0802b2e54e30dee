package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTableFillsItsColumns(t *testing.T) {
	x := table{title: "T", about: "A.", head: []string{"a", "b"}}
	x.add("one")
	x.add("x|y", "two\nlines", "beyond")
	want := "### T\n\nA.\n\n| a | b |\n|---|---|\n| one |  |\n| x\\|y | two lines |\n\n"
	if got := x.markdown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := (&table{title: "T", head: []string{"a"}}).markdown(); got != "" {
		t.Errorf("a table without rows is %q", got)
	}
}

func TestNotesLeaveOutWhatIsHalfWritten(t *testing.T) {
	all := parseNotes("run c0000 12 345 one\nrun c0001 x 345 one\nrun c0000 13 400 two\nleaf c0000 14 401 own\nrun c0002 99 500 on")
	if len(all) != 3 {
		t.Fatalf("%v", all)
	}
	if got := lastOf(all, "run"); len(got) != 1 || got["c0000"] != (note{"run", "c0000", 13, 400, "two"}) {
		t.Errorf("the last ones are %v", got)
	}
}

func TestBetweenReplacesOnlyWhatIsMarked(t *testing.T) {
	doc := "# A\n" + markBegin + "\nold\n" + markEnd + "\nend\n"
	got, err := between(doc, "\nnew\n\n")
	if want := "# A\n" + markBegin + "\n\nnew\n\n" + markEnd + "\nend\n"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	again, err := between(got, "new")
	if err != nil || again != got {
		t.Errorf("a second time it is %q, %v", again, err)
	}
	for _, broken := range []string{"", markBegin, markEnd + markBegin} {
		if _, err := between(broken, "new"); err == nil {
			t.Errorf("%q has no place for it", broken)
		}
	}
}

// sampleRun has a host that is slower than the floor by half, and two peers.
func sampleRun() *run {
	r := &run{Machine: "2 cores", Date: "2026-01-02", Child: "in C", Contenders: []about{
		{Name: "floor", Title: "floor"}, {Name: "host", Title: "host", Listing: []listing{{"services.yaml", "version: 1"}, {"start", "host run"}}},
		{Name: "slow", Title: "Slow"}, {Name: "fast", Title: "Fast"}, {Name: "gone", Title: "Gone", Missing: "gone is not installed"},
	}}
	for name, ms := range map[string]float64{"floor": 10, "host": 15, "slow": 1000, "fast": 40} {
		for round, part := range []float64{0.9, 1, 1.2} {
			r.Results = append(r.Results, result{Test: "start", Contender: name, N: 100, Round: round, Values: map[string]float64{"ms": ms * part}})
			r.Results = append(r.Results, result{Test: "stop", Contender: name, N: 100, Round: round, Values: map[string]float64{"ms": ms * part}})
		}
		r.Results = append(r.Results, result{Test: "restart", Contender: name, N: 40, Samples: map[string]figures{"ms": {ms / 10, ms / 10, ms / 5}}})
		r.Results = append(r.Results, result{Test: "tree", Contender: name, N: 2, Values: map[string]float64{"of": 2, "own": 0}})
	}
	r.Results = append(r.Results, result{Test: "log", Contender: "slow", N: 1, Error: "not all was taken"})
	return r
}

func row(t *testing.T, text, begin string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| "+begin+" |") {
			return strings.TrimSpace(line)
		}
	}
	t.Fatalf("no row %q in\n%s", begin, text)
	return ""
}

func TestGoalsCompareWithFloorAndBestPeer(t *testing.T) {
	text := goals(sampleRun()).markdown()
	for begin, want := range map[string]string{
		"start of 100, a cgroup for each": "| start of 100, a cgroup for each | within 1.50× | **1.50×** 15.0 ms | 10.0 ms | Fast: **4.0×** 40.0 ms | yes |",
		"stop of 100":                     "| stop of 100 | within 1.50× | **1.50×** 15.0 ms | 10.0 ms | Fast: **4.0×** 40.0 ms | yes |",
		"restart, p99":                    "| restart, p99 | under 2.30 ms | **1.50×** 3.00 ms | 2.00 ms | Fast: **4.0×** 8.00 ms | no |",
	} {
		if got := row(t, text, begin); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if strings.Contains(text, "memory") {
		t.Error("what was not measured has a row")
	}
}

func TestReportNamesWhatIsMissing(t *testing.T) {
	text := report(sampleRun())
	if got := row(t, text, "Gone"); !strings.Contains(got, "gone is not installed") {
		t.Error(got)
	}
	for _, want := range []string{
		"2 cores. Measured on 2026-01-02.", "| Slow | **100×** 1000 (900–1200) |", "failed: not all was taken",
		"`services.yaml`\n\n```\nversion: 1\n```", "start     host run",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestRunTakesOverOnlyWholeTests(t *testing.T) {
	old, r := sampleRun(), &run{Contenders: []about{{Name: "host", Title: "host", Version: "2"}, {Name: "new", Title: "New"}}}
	r.Results = []result{{Test: "start", Contender: "host", N: 100, Values: map[string]float64{"ms": 1}}}
	r.addTo(old)
	if got := r.values("start", "floor", 100, "ms"); len(got) != 0 {
		t.Errorf("figures of two runs stand beside each other: %v", got)
	}
	if got := r.values("stop", "floor", 100, "ms"); len(got) != 3 {
		t.Errorf("what was not measured again is gone: %v", got)
	}
	if got := r.Contenders; len(got) != 6 || got[1].Version != "2" || got[5].Name != "new" {
		t.Errorf("contenders are %v", got)
	}
}

func TestRunComesBackFromItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	r := sampleRun()
	if err := r.save(path); err != nil {
		t.Fatal(err)
	}
	got, err := loadRun(path)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(r)
	b, _ := json.Marshal(got)
	if !slices.Equal(a, b) {
		t.Errorf("got %s\nwant %s", b, a)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := loadRun(path); err == nil {
		t.Error("half a file was read")
	}
}
