package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"servicehost/host/journal"
)

// events reads what `host events -o json` printed.
func events(t *testing.T, lines string) []journal.Event {
	t.Helper()
	var out []journal.Event
	for line := range strings.Lines(lines) {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		out = append(out, e)
	}
	return out
}

// tells fails the test unless the steps are told in this order, other events between them. A step is "ID KIND" or
// "ID KIND part of the reason", for changes of state the kind is the new state.
func tells(t *testing.T, story []journal.Event, steps ...string) {
	t.Helper()
	n := 0
	for _, e := range story {
		if n == len(steps) {
			break
		}
		f := strings.SplitN(steps[n], " ", 3)
		kind := string(e.Kind)
		if e.Kind == journal.StateChanged {
			kind = e.To
		}
		if e.ID == f[0] && kind == f[1] && (len(f) < 3 || strings.Contains(e.Reason, f[2])) {
			n++
		}
	}
	if n < len(steps) {
		var b strings.Builder
		for _, e := range story {
			fmt.Fprintf(&b, "%s %s %s %s %s\n", e.Time.Format("05.000"), e.ID, e.Kind, e.To, e.Reason)
		}
		t.Errorf("step %d is not told: %s\n%s", n+1, steps[n], b.String())
	}
}
