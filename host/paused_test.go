package host

import (
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

func TestPauseShowsNoTimeOfANextTry(t *testing.T) {
	next := time.Now().Add(-time.Minute)
	for reason, want := range map[string]string{
		`exit 3 after 1.2s, next try in 1m30s: "in 5s"`:           `exit 3 after 1.2s, next try after host resume: "in 5s"`,
		"exit 3 after 1s, tried again at once":                    "exit 3 after 1s, tried again after host resume",
		"crash loop: 2 restarts in 10m; tried again in 9m":        "crash loop: 2 restarts in 10m; tried again after host resume",
		"crash loop; not tried again until it is started by hand": "crash loop; not tried again until it is started by hand",
	} {
		p := &supervisor.Snapshot{State: supervisor.Backoff, Reason: reason, NextTry: next, Spec: &spec.Service{Type: spec.TypeService}}
		v := control.ServiceStatus{Reason: reason, NextRun: &next}
		if holdBack(p, &v); v.Reason != want || v.NextRun != nil {
			t.Errorf("%q, next run %v, want %q", v.Reason, v.NextRun, want)
		}
	}
	p := &supervisor.Snapshot{State: supervisor.Failed, NextTry: next, Spec: &spec.Service{Type: spec.TypeScheduled}}
	v := control.ServiceStatus{NextRun: &next}
	if holdBack(p, &v); v.NextRun == nil {
		t.Error("a schedule is not held back by a pause, but its next run is not shown")
	}
}
