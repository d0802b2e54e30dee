package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"servicehost/host/control"
)

// BenchmarkStatusText1000 is what host status does with the answer of a host with a thousand services.
func BenchmarkStatusText1000(b *testing.B) {
	now := time.Now()
	s := control.Status{Host: control.HostStatus{Name: "orders-01", StartedAt: now, Spec: control.SpecStatus{Path: "/srv/services.yaml", State: control.SpecApplied, AppliedAt: now}}}
	for n := range 1000 {
		name := fmt.Sprintf("s%04d", n)
		s.Services = append(s.Services, control.ServiceStatus{
			Name: name, Instance: 1, ID: name, Type: "service", State: "running", Health: "unknown", Desired: "up", PID: 1000 + n, AsDesired: true,
			Spec: control.ServiceSpecStatus{State: "applied", Hash: fmt.Sprintf("%064x", n)}, Since: now, StartedAt: &now, CPUPercent: 0.2, MemoryBytes: 20 << 20, Processes: 1,
		})
	}
	answer, err := json.Marshal(s)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(answer)))
	b.ReportAllocs()
	a := &app{Program: Program{Stdout: io.Discard, Stderr: io.Discard}, now: time.Now}
	for b.Loop() {
		var got control.Status
		if err := json.Unmarshal(answer, &got); err != nil {
			b.Fatal(err)
		}
		if a.statusText(got, false, 0) == "" {
			b.Fatal("nothing is shown")
		}
	}
}
