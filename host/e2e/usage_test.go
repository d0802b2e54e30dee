package e2e

import (
	"errors"
	"testing"
	"time"

	"servicehost/host/control"
)

// TestUsageIsTold asks a host what its services use: of whole trees, now and over time.
func TestUsageIsTold(t *testing.T) {
	r := newRig(t)
	r.write(yaml(
		svc("one", r.child("plain", "one")),
		svc("tree", r.child("tree", "tree")),
		svc("off", r.child("plain", "off"), "enabled: false"),
	))
	r.start()
	r.poll("the children to run", func() bool { return len(r.alive()) == 3 })
	c := r.client()
	ask := func(q control.UsageRequest) map[string]control.ServiceUsage {
		t.Helper()
		a, err := c.Usage(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]control.ServiceUsage{}
		for _, s := range a.Services {
			m[s.ID] = s
		}
		return m
	}
	m := ask(control.UsageRequest{})
	one, tree := m["one"], m["tree"]
	if one.Processes != 1 || tree.Processes != 2 || one.MemoryBytes < 1<<20 || tree.MemoryBytes < one.MemoryBytes || one.At == nil {
		t.Errorf("%+v", m)
	}
	if one.ResidentBytes < 1<<20 || one.PrivateBytes < 1<<20 || one.PeakMemoryBytes < one.MemoryBytes {
		t.Errorf("a full look did not find all: %+v", one)
	}
	if one.Fine == nil || one.Fine.StepMS != 5000 || len(one.Fine.Points) == 0 || one.Coarse.StepMS != 300000 || len(one.Coarse.Points) == 0 {
		t.Errorf("no history: %+v", one)
	} else if p := one.Fine.Points[len(one.Fine.Points)-1]; time.Since(time.UnixMilli(int64(p[0]))) > time.Minute || p[2] < 1<<20 {
		t.Errorf("the last point is %v", p)
	}
	for id, v := range m {
		if id == "off" && (v.At != nil || v.Processes != 0) {
			t.Errorf("something is told of what does not run: %+v", v)
		}
	}
	if m = ask(control.UsageRequest{Names: []string{"tree"}, NoHistory: true}); len(m) != 1 || m["tree"].Fine != nil || m["tree"].Processes != 2 {
		t.Errorf("%+v", m)
	}
	var e *control.Error
	if _, err := c.Usage(t.Context(), control.UsageRequest{Names: []string{"nobody"}}); !errors.As(err, &e) || e.Status != 404 {
		t.Errorf("an unknown name is answered with %v", err)
	}
	for _, s := range r.status().Services {
		if s.PID != 0 && (s.MemoryBytes < 1<<20 || s.Processes == 0) {
			t.Errorf("status tells no usage of %s", s.ID)
		}
	}
	r.must(0, "stop", "one")
	if m = ask(control.UsageRequest{Names: []string{"one"}}); m["one"].At != nil || len(m["one"].Fine.Points) == 0 {
		t.Errorf("stopped: %+v", m["one"])
	}
}
