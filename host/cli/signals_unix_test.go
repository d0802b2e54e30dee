//go:build unix

package cli

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestInterruptOfAWaitHasItsExitCode(t *testing.T) {
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		for _, form := range []string{"text", "json"} {
			runDir(t)
			f := &fakeHost{hang: make(chan struct{})}
			serve(t, f, "orders-01", "services.yaml")
			done := make(chan result, 1)
			go func() { done <- invoke("stop", "api", "-o", form) }()
			select {
			case <-f.hang:
			case r := <-done:
				t.Fatalf("%s: ended with %+v", signal, r)
			}
			if err := syscall.Kill(syscall.Getpid(), signal); err != nil {
				t.Fatal(err)
			}
			select {
			case r := <-done:
				if r.code != want || r.stdout != "" || !strings.Contains(r.stderr, "interrupted; the host goes on with what it was asked") {
					t.Errorf("%s: %+v, want exit %d", signal, r, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: the command goes on", signal)
			}
		}
	}
}
