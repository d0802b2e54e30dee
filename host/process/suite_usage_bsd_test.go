//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package process_test

import (
	"testing"

	"servicehost/host/process"
)

// checkUsage checks what of a full look is of this system.
func checkUsage(t *testing.T, u process.Usage) {
	t.Helper()
	if u.Threads < 2 || u.Memory != u.Resident || u.Handles < 100 || u.Handles > 1000 || u.PSS != 0 {
		t.Errorf("%+v", u)
	}
}
