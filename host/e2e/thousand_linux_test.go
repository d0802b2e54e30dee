package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"servicehost/host/control"
)

// TestThousandServices starts, lists, changes one of, and stops a thousand services.
func TestThousandServices(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand processes")
	}
	sleep := need(t, "sleep")
	r := newRig(t)
	var b strings.Builder
	b.WriteString("services:\n")
	for n := range 1000 {
		fmt.Fprintf(&b, "  s%04d: {command: [%q, '1000%03d']}\n", n, sleep, n)
	}
	r.write(b.String())
	begin := time.Now()
	r.start()
	before := r.allRunning()
	t.Logf("started and listed after %v", time.Since(begin))
	if len(before) != 1000 {
		t.Fatalf("%d services", len(before))
	}
	r.write(strings.Replace(b.String(), "'1000500'", "'1000999'", 1))
	r.must(0, "reload")
	after := r.pidsOf()
	for id, pid := range before {
		if changed := after[id] != pid; changed != (id == "s0500") {
			t.Errorf("%s: PID %d, then %d", id, pid, after[id])
		}
	}
	begin = time.Now()
	r.must(0, "stop", "--all")
	t.Logf("stopped after %v", time.Since(begin))
	s := r.status()
	for _, v := range s.Services {
		if v.State != "stopped" || v.PID != 0 {
			t.Errorf("%s is %s", v.ID, v.State)
		}
	}
	if s.Host.Spec.State != control.SpecApplied {
		t.Errorf("the spec is %s", s.Host.Spec.State)
	}
	r.stop()
	for id, pid := range after {
		if syscall.Kill(pid, 0) == nil && !zombie(pid) {
			t.Errorf("%s left PID %d behind", id, pid)
		}
	}
}
