package e2e

import (
	"strings"
	"testing"

	"servicehost/host/control"
)

// TestStory is what a user does on the first day: start, edit, break, mend, stop. It runs as the .exe too.
func TestStory(t *testing.T) {
	r := newRig(t)
	text := yaml(
		svc("api", r.child("run", "api")),
		svc("deaf", r.child("tree-deaf", "deaf"), "stop: {timeout: 1s}"),
		svc("plain", r.child("tree", "plain")),
	)
	r.write(text)
	r.start()
	before := r.allRunning()
	r.poll("the grandchildren", func() bool { return len(r.alive()) == 5 })

	r.write(strings.Replace(text, `"api"`, `"api2"`, 1))
	s := r.until("the edit", func(s control.Status) bool {
		return s.Services[0].PID != 0 && s.Services[0].PID != before["api"] && s.Host.Spec.State == control.SpecApplied
	})
	after := r.allRunning()
	if after["deaf"] != before["deaf"] || after["plain"] != before["plain"] {
		t.Fatalf("the edit of one touched others: %v, then %v", before, after)
	}
	hash := s.Host.Spec.Hash

	r.write(text + "  broken: [\n")
	s = r.until("the rejection", func(s control.Status) bool { return s.Host.Spec.State == control.SpecRejected })
	if len(s.Host.Spec.Problems) == 0 || s.Host.Spec.Problems[0].Line == 0 || s.Host.Spec.Hash != hash {
		t.Fatalf("a broken file gives %+v", s.Host.Spec)
	}
	if out := r.must(3, "status"); !strings.Contains(out, "services.yaml:") {
		t.Errorf("status does not show the problem:\n%s", out)
	}
	r.must(1, "validate")

	r.write(strings.Replace(text, `"api"`, `"api2"`, 1))
	r.until("the mended file", func(s control.Status) bool { return s.Host.Spec.State == control.SpecApplied })
	if now := r.pidsOf(); now["api"] != after["api"] || now["deaf"] != before["deaf"] || now["plain"] != before["plain"] {
		t.Fatalf("breaking and mending touched something: %v, then %v", after, now)
	}

	r.must(0, "stop", "deaf")
	r.poll("the whole tree of deaf to be gone", func() bool {
		for _, tag := range r.alive() {
			if strings.HasPrefix(tag, "deaf") {
				return false
			}
		}
		return true
	})
	if v := r.untilState("deaf", "stopped"); v.Desired != "down" || v.DesiredBy != "operator" {
		t.Errorf("deaf after its stop: %+v", v)
	}
	r.must(0, "start", "deaf")
	r.untilState("deaf", "running")
	if out := r.must(0, "events", "-n", "200"); !strings.Contains(out, "deaf") {
		t.Errorf("events do not tell of deaf:\n%s", out)
	}
	r.must(0, "why", "deaf")
	if out := r.must(0, "logs", "api", "-n", "1"); !strings.Contains(out, "is up") {
		t.Errorf("logs of api: %q", out)
	}

	if code := r.stop(); code != 0 && code != 143 && code != 130 {
		t.Errorf("the host ended with %d", code)
	}
	r.nothingLeft()
	r.must(4, "status")
}

// TestKilledHostLeavesNothing: terminate the host, and its trees are gone.
func TestKilledHostLeavesNothing(t *testing.T) {
	r := newRig(t)
	r.write(yaml(svc("deaf", r.child("tree-deaf", "deaf")), svc("plain", r.child("tree", "plain"))))
	r.start()
	r.allRunning()
	r.poll("the grandchildren", func() bool { return len(r.alive()) == 4 })
	r.kill()
	r.nothingLeft()
}
