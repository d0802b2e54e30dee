package host

import (
	"testing"

	"servicehost/host/supervisor"
	"servicehost/spec"
)

// A job whose last run failed stays so until its next time, whatever an edit makes of it.
func TestReloadBlamesNoEditForAnEarlierRun(t *testing.T) {
	for _, c := range []struct {
		kind  spec.Type
		state supervisor.State
		up    bool
		want  bool
	}{
		{spec.TypeService, supervisor.Failed, true, true},
		{spec.TypeService, supervisor.Backoff, true, true},
		{spec.TypeService, supervisor.Running, true, false},
		{spec.TypeService, supervisor.Failed, false, false},
		{spec.TypeOneshot, supervisor.Failed, true, true},
		{spec.TypeScheduled, supervisor.Failed, true, false},
		{spec.TypeScheduled, supervisor.Backoff, true, false},
	} {
		p := &supervisor.Snapshot{State: c.state, Up: c.up, Spec: &spec.Service{Type: c.kind}}
		if got := notUp(p); got != c.want {
			t.Errorf("a %s that is %s, wanted up %v: %v, want %v", c.kind, c.state, c.up, got, c.want)
		}
	}
}
