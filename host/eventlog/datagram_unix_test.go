//go:build unix

package eventlog

import (
	"strings"
	"testing"
	"time"
)

func TestSyslogLinesAreShortAndNumbered(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	r := newRecord(byKind["failed"], Event{Service: "api", Reason: strings.Repeat("x", 3000), Lines: []string{"one", strings.Repeat("y", 2000)}})
	got := syslogLines("servicehost", r, at)
	if len(got) != 3 {
		t.Fatalf("%d lines, want 3", len(got))
	}
	if !strings.HasPrefix(string(got[0]), "<27>Mar  4 05:06:07 servicehost[") || !strings.Contains(string(got[0]), `]: event 201 failed: Service "api" has failed: xxx`) {
		t.Errorf("first line is %.120q", got[0])
	}
	if !strings.HasSuffix(string(got[1]), "]: event 201 | one") {
		t.Errorf("second line is %q", got[1])
	}
	for _, line := range got {
		if len(line) > maxSyslog || strings.Contains(string(line), "\n") {
			t.Errorf("line of %d bytes: %.60q", len(line), line)
		}
	}
}
