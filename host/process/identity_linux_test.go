package process_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Mostly the clock tells when a process was created; whoever compares looks it up.
func TestIdentityIsWhatTheKernelTellsOfAProcess(t *testing.T) {
	s := newStage(t, newBackend(t))
	for range 20 {
		_, id := s.start(part("sleep"))
		b, err := os.ReadFile(proc(id.PID, "stat"))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if want := fields[22-3]; strconv.FormatInt(id.Created, 10) != want {
			t.Errorf("process %d was created at %d, the kernel says %s", id.PID, id.Created, want)
		}
	}
}
