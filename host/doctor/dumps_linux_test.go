package doctor

import "testing"

func TestDumpWithoutItsProgramIsFound(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	const text = "services: {a: {command: [EXE], thresholds: [{memory: 1GiB, action: dump}]}, b: {command: [EXE], thresholds: [{memory: 1GiB, action: dump, dump_url: 'http://127.0.0.1:1/heap'}]}}"
	wantFindings(t, examine(t, text, nil), Finding{Severity: Warning, Subject: "services.a.thresholds", Message: "gcore is not installed", Hint: "dump_url"})
}
