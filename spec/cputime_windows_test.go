package spec

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has computed so far: a busy machine makes it no longer.
func cpuTime(t *testing.T) time.Duration {
	var created, exited, kernel, user syscall.Filetime
	own, err := syscall.GetCurrentProcess()
	if err == nil {
		err = syscall.GetProcessTimes(own, &created, &exited, &kernel, &user)
	}
	if err != nil {
		t.Fatal(err)
	}
	span := func(f syscall.Filetime) time.Duration {
		return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
	}
	return span(kernel) + span(user)
}
