package host

import (
	"testing"
	"time"

	"servicehost/host/supervisor"
	"servicehost/spec"
)

func TestAlertEndsWhenNothingIsLeftOfAFailure(t *testing.T) {
	probed := &spec.Service{Type: spec.TypeService, Health: spec.Health{Readiness: &spec.Probe{}}}
	service, job, oneshot := &spec.Service{Type: spec.TypeService}, &spec.Service{Type: spec.TypeScheduled}, &spec.Service{Type: spec.TypeOneshot}
	for _, c := range []struct {
		what string
		p    supervisor.Snapshot
		well bool
		text string
	}{
		{"it runs", supervisor.Snapshot{Spec: service, State: supervisor.Running, Health: supervisor.HealthHealthy}, true, "running"},
		{"it is ready", supervisor.Snapshot{Spec: probed, State: supervisor.Running, Health: supervisor.HealthHealthy}, true, "running and ready"},
		{"it is not ready yet", supervisor.Snapshot{Spec: probed, State: supervisor.Running, Health: supervisor.HealthStarting}, false, ""},
		{"it is not ready any more", supervisor.Snapshot{Spec: probed, State: supervisor.Running, Health: supervisor.HealthUnhealthy}, false, ""},
		{"it waits for its next try", supervisor.Snapshot{Spec: service, State: supervisor.Backoff}, false, ""},
		{"it has failed", supervisor.Snapshot{Spec: service, State: supervisor.Failed}, false, ""},
		{"it waits for another", supervisor.Snapshot{Spec: service, State: supervisor.Waiting}, false, ""},
		{"an operator stopped it", supervisor.Snapshot{Spec: service, State: supervisor.Stopped, Reason: "stopped by li.wei"}, true, "stopped by li.wei"},
		{"it came to a good end", supervisor.Snapshot{Spec: oneshot, State: supervisor.Exited, Reason: "exit 0 after 1s"}, true, "exit 0 after 1s"},
		{"the job runs again", supervisor.Snapshot{Spec: oneshot, State: supervisor.Running, Health: supervisor.HealthHealthy}, false, ""},
		{"the job waits after a failure", supervisor.Snapshot{Spec: job, State: supervisor.Waiting, NextTry: time.Now(), Runs: []supervisor.JobRun{{Success: true}, {}}}, false, ""},
		{"the job waits after a success", supervisor.Snapshot{Spec: job, State: supervisor.Waiting, NextTry: time.Now(), Runs: []supervisor.JobRun{{}, {Success: true}}}, true, "its last run was a success"},
		{"the job lacks something", supervisor.Snapshot{Spec: job, State: supervisor.Waiting, NextTry: time.Now(), Unmet: true, Runs: []supervisor.JobRun{{Success: true}}}, false, ""},
	} {
		well, text := wellNow(&c.p)
		if well != c.well || well && text != c.text {
			t.Errorf("%s: %v, %q", c.what, well, text)
		}
	}
}
