//go:build linux || windows

package e2e

import (
	"fmt"
	"testing"

	"servicehost/host/control"
)

// TestStopCyclesCostNothing stops and starts services a hundred times: the host holds as much as before.
func TestStopCyclesCostNothing(t *testing.T) {
	r := newRig(t)
	const services, rounds = 4, 25
	var all, names []string
	for n := range services {
		name := fmt.Sprintf("s%d", n)
		names = append(names, name)
		if n%2 == 0 {
			all = append(all, svc(name, r.child("run", name)))
		} else {
			all = append(all, svc(name, r.stopCommand("stdin", name), "stop: {steps: [stdin_close]}"))
		}
	}
	r.write(yaml(all...))
	r.start()
	r.allRunning()
	client := r.client()
	started := 0
	cycle := func() {
		t.Helper()
		started += services
		r.untilUp(started)
		r.stopAndStart(client, names)
	}
	for range 3 { // the first few open what stays
		cycle()
	}
	before := holdings(r)
	for range rounds {
		cycle()
	}
	var after holding
	r.poll("the host to let go of what the cycles took", func() bool {
		after = holdings(r)
		return after.handles <= before.handles+handleSlack && after.goroutines <= before.goroutines+4
	})
	t.Logf("%+v before, %+v after %d cycles", before, after, services*rounds)
}

func (r *rig) stopAndStart(client *control.Client, names []string) {
	r.t.Helper()
	for _, v := range []control.Verb{control.VerbStop, control.VerbStart} {
		res, err := client.Act(r.t.Context(), control.ActRequest{Verb: v, Names: names})
		if err != nil {
			r.t.Fatalf("%s: %v", v, err)
		}
		for _, s := range res.Services {
			if !s.OK {
				r.t.Fatalf("%s: %+v", v, s)
			}
		}
	}
}

// holding is what a host has open.
type holding struct{ handles, goroutines int }
