//go:build linux || windows

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestStalledConsoleHoldsNothingUp runs a host whose lines nobody takes, as when a terminal is stopped by Ctrl-S.
func TestStalledConsoleHoldsNothingUp(t *testing.T) {
	r := newRig(t)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer in.Close()
	// Where a pipe takes no deadline, as on Windows, it takes 4 KiB, which the cycles below are more than.
	if in.SetWriteDeadline(time.Now().Add(time.Second)) == nil {
		if _, err := in.Write(make([]byte, 16<<20)); !os.IsTimeout(err) {
			t.Fatal("a pipe that nobody reads takes everything:", err)
		}
	}
	const services, cycles = 5, 3
	var all, names []string
	for n := range services {
		name := fmt.Sprintf("%s-%d", strings.Repeat("long", 12), n)
		names = append(names, name)
		all = append(all, svc(name, r.child("run", name)))
	}
	r.write(yaml(all...))
	r.stderr = in
	r.start()
	r.allRunning()
	client := r.client()
	for n := range cycles {
		r.untilUp((n + 1) * services)
		r.stopAndStart(client, names)
	}
	r.allRunning()
	if code := r.stop(); code != 0 {
		t.Errorf("the host ended with %d", code)
	}
	r.nothingLeft()
}
