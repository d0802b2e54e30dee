//go:build unix

package host

import (
	"slices"
	"syscall"
	"testing"
)

func TestSignalsAskForAReloadAndForNewLogs(t *testing.T) {
	h := startManaged(t)
	send := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(syscall.Getpid(), s); err != nil {
			t.Fatal(err)
		}
	}
	send(syscall.SIGUSR1)
	h.until("a new host.log", func([]string, string, int) bool { return h.rotations() == 1 })
	send(syscall.SIGHUP)
	h.until("reload", func(told []string, _ string, _ int) bool { return slices.Contains(told, "reloaded") })
	h.stop()
}
