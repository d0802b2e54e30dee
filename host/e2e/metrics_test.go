package e2e

import (
	"regexp"
	"strings"
	"testing"

	"servicehost/host/control"
)

var restartSeries = regexp.MustCompile(`(?m)^servicehost_service_restarts_total\{service="([^"]+)",service_instance="1",reason="([^"]+)"\} ([1-9]\d*)$`)

// restarts are the reasons of those that `host metrics` tells, by service.
func (r *rig) restarts() map[string]string {
	r.t.Helper()
	got := map[string]string{}
	for _, m := range restartSeries.FindAllStringSubmatch(r.must(0, "metrics"), -1) {
		got[m[1]] = strings.TrimSpace(got[m[1]] + " " + m[2])
	}
	return got
}

// TestMetricsTellWhyServicesWereRestarted has services restarted for every reason that needs no limit of the system.
func TestMetricsTellWhyServicesWereRestarted(t *testing.T) {
	r := newRig(t)
	spec := func(edited, proven string) string {
		return yaml(
			svc("crash", r.child("exit", "crash", "200"), "restart: {policy: always, delay: 100ms, limit: 0}"),
			svc("loop", r.child("exit", "loop", "10"), "restart: {policy: always, delay: 10ms, limit: 1, retry_after: 1s}"),
			svc("asked", r.child("wait", "asked")),
			svc("follows", r.child("wait", "follows"), "depends_on: {asked: {condition: started, restart: true}}"),
			svc("edited", r.child("wait", edited)),
			svc("proven", proven, "restart: {delay: 100ms}"),
			svc("probed", r.child("wait", "probed"), "restart: {delay: 100ms}",
				"health: {liveness: {file: none, period: 1s, failure_threshold: 1}}"),
			svc("aged", r.child("wait", "aged"), "max_runtime: 2s"),
			svc("calm", r.child("wait", "calm")),
			svc("removed", r.child("exit", "removed", "200"), "restart: {policy: always, delay: 100ms, limit: 0}"),
		)
	}
	good := r.child("wait", "proven")
	r.write(spec("edited", good))
	r.start()
	r.until("all to run", func(s control.Status) bool {
		pids := r.pidsOf()
		return pids["edited"] != 0 && pids["asked"] != 0 && pids["follows"] != 0 && pids["proven"] != 0
	})
	r.must(0, "restart", "asked")
	r.write(spec("edited-2", r.child("exit", "proven-2", "10")))
	want := map[string]string{
		"crash": "exit", "loop": "exit retry", "asked": "operator", "follows": "dependency", "edited": "change", "proven": "change rollback",
		"probed": "probe", "aged": "max_runtime", "removed": "exit",
	}
	var got map[string]string
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("restarts: %v", got)
		}
	})
	r.poll("each reason", func() bool {
		got = r.restarts()
		for id, reasons := range want {
			if got[id] != reasons {
				return false
			}
		}
		return true
	})
	if got["calm"] != "" {
		t.Errorf("calm was restarted: %s", got["calm"])
	}
	whole := r.must(0, "metrics")
	for _, line := range []string{
		`servicehost_service_exits_total{service="crash",service_instance="1",code="3",signal=""} `,
		`servicehost_service_rollbacks_total{service="proven",service_instance="1"} 1`,
		`servicehost_service_starts_total{service="calm",service_instance="1"} 1`,
		`servicehost_service_up{service="calm",service_instance="1"} 1`,
	} {
		if !strings.Contains(whole, "\n"+line) {
			t.Errorf("lacks %s", line)
		}
	}

	text, _, _ := strings.Cut(spec("edited-2", good), "  removed:")
	r.write(text)
	r.poll("the removed service to vanish", func() bool { return !strings.Contains(r.must(0, "metrics"), `"removed"`) })
	r.stop()
}
