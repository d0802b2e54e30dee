package host

import (
	"net"
	"testing"
	"time"

	"servicehost/host/probe"
	"servicehost/host/process"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// TestProbesTellHowARunIs: what is known of each probe and what the program says is there while it is asked, and
// what it asks for is passed on.
func TestProbesTellHowARunIs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := newProbes(t.TempDir())
	defer p.set.Close()
	run := process.RunID{Service: "api", Instance: 1, Incarnation: 7}
	events := make(chan supervisor.HealthEvent, 10)
	w := p.Watch(supervisor.Watched{Run: run, Spec: &spec.Service{ID: "api", Health: spec.Health{
		Readiness: &spec.Probe{TCP: l.Addr().String()}, Liveness: &spec.Probe{Notify: true, Period: time.Hour},
	}}}, func(e supervisor.HealthEvent) { events <- e })
	next := func(want supervisor.HealthChange) supervisor.HealthEvent {
		for {
			select {
			case e := <-events:
				if e.Change == want {
					return e
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("no event %d", want)
			}
		}
	}
	next(supervisor.BecameReady)
	says := "loading index"
	w.(watch).Notify(probe.Message{Status: &says, Extend: time.Minute})
	if e := next(supervisor.AskedForTime); time.Until(e.Until) < 30*time.Second {
		t.Errorf("a minute from now is %v", e.Until)
	}
	known, status := p.of(run)
	if status != says || len(known) != 2 {
		t.Fatalf("says %q, probes %+v", status, known)
	}
	if r := known[0]; r.Probe != "readiness" || r.Kind != "tcp" || r.Target != l.Addr().String() || r.Result != "success" || r.At == nil || r.Next == nil {
		t.Errorf("readiness: %+v", r)
	}
	if r := known[1]; r.Probe != "liveness" || r.Kind != "notify" || r.At != nil || r.Result != "unknown" {
		t.Errorf("liveness: %+v", r)
	}
	w.Stop()
	if known, status := p.of(run); known != nil || status != "" {
		t.Errorf("after its end: %v %q", known, status)
	}
}
