package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"servicehost/host/journal"
)

// warnings are what the host warned of so far, of a service.
func (r *rig) warnings(id string) (out []string) {
	r.t.Helper()
	for line := range strings.Lines(r.must(0, "events", "-n", "1000", "-o", "json")) {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			r.t.Fatalf("event %q: %v", line, err)
		}
		if e.Kind == journal.Warning && strings.Contains(e.Reason, `"`+id+`"`) {
			out = append(out, e.Reason)
		}
	}
	return out
}

func TestLimitsHoldAServiceAndWhatCannotBeHadIsSaidOnce(t *testing.T) {
	r := newRig(t)
	r.write(yaml(
		svc("limited", r.child("tree", "limited"), "limits: {memory: 1GiB, cpu: 150%, processes: 64}", "priority: below_normal", "affinity: 0",
			"error_reporting: true", "restricted_token: true"),
		svc("loose", r.child("run", "loose")),
	))
	r.start()
	before := r.allRunning()
	said := r.warnings("limited")
	if got := r.warnings("loose"); len(got) != 0 {
		t.Errorf("warnings %q of a service without limits", got)
	}
	for _, w := range said {
		if !strings.HasPrefix(w, `service "limited": limits.`) && !strings.Contains(w, "affinity") {
			t.Errorf("warning %q", w)
		}
	}
	r.must(0, "restart", "limited")
	after := r.allRunning()
	if after["limited"] == before["limited"] || after["loose"] != before["loose"] {
		t.Errorf("PIDs %v before and %v after a restart", before, after)
	}
	if again := r.warnings("limited"); len(again) != len(said) {
		t.Errorf("warnings %q at first, then %q", said, again)
	}

	// A changed limit is a restart of that service alone, and none of its tree outlives a killed host.
	r.write(yaml(
		svc("limited", r.child("tree", "limited"), "limits: {memory: 2GiB}", "priority: idle"),
		svc("loose", r.child("run", "loose")),
	))
	r.must(0, "reload")
	changed := r.allRunning()
	if changed["limited"] == after["limited"] || changed["loose"] != after["loose"] {
		t.Errorf("PIDs %v before and %v after the edit", after, changed)
	}
	r.kill()
	r.nothingLeft()
}
