package e2e

import (
	"strings"
	"testing"

	"servicehost/host/control"
)

// TestUnstartableEditIsToldUntilItIsMended: a path that does not exist ends nothing, whoever asks is
// told so, first or later, across a restart of the host too, and mending it touches nothing.
func TestUnstartableEditIsToldUntilItIsMended(t *testing.T) {
	r := newRig(t)
	text := yaml(svc("api", r.child("run", "api")), svc("other", r.child("run", "other")))
	bad := strings.Replace(text, r.child("run", "api"), "[/no/such/program]", 1)
	r.write(text)
	r.start()
	before := r.allRunning()
	r.write(bad)
	for _, which := range []string{"first", "second"} {
		if out := r.must(3, "reload"); !strings.Contains(out, "rolled back: api") || !strings.Contains(out, "not found") || strings.Contains(out, "applied") {
			t.Errorf("the %s reload said:\n%s", which, out)
		}
	}
	if now := r.pidsOf(); now["api"] != before["api"] || now["other"] != before["other"] {
		t.Errorf("the edit touched something: %v, then %v", before, now)
	}
	r.kill()
	r.start()
	r.must(3, "reload")
	again := r.pidsOf()
	r.write(text)
	r.until("the mended file", func(s control.Status) bool { return s.Host.Spec.State == control.SpecApplied })
	r.must(0, "reload")
	if now := r.pidsOf(); now["api"] != again["api"] || now["other"] != again["other"] {
		t.Errorf("mending touched something: %v, then %v", again, now)
	}
	r.poll("the log to say that it is mended", func() bool {
		return strings.Contains(r.out.String(), "spec applied: mended")
	})
	r.stop()
}

// TestLauncherStaysUpWithItsTree: with track: tree a service is up while anything of its tree runs, and
// a stop ends that.
func TestLauncherStaysUpWithItsTree(t *testing.T) {
	r := newRig(t)
	r.write(yaml(svc("launch", r.child("launch", "launch"), "track: tree", "stop: {timeout: 1s}")))
	r.start()
	r.until("the launcher to have ended", func(s control.Status) bool {
		return strings.Contains(s.Services[0].Reason, "the rest of its tree runs on")
	})
	if s := r.status().Services[0]; s.State != "running" || len(r.alive()) != 1 {
		t.Errorf("%s, alive: %v", s.State, r.alive())
	}
	r.must(0, "stop", "launch")
	r.nothingLeft()
	r.stop()
}
