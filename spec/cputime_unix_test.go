//go:build unix

package spec

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has computed so far: a busy machine makes it no longer.
func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
