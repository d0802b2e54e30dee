package process_test

import (
	"testing"

	"servicehost/host/process"
)

// checkUsage checks what of a full look is of this system.
func checkUsage(t *testing.T, u process.Usage) {
	t.Helper()
	if u.PSS < u.Private || u.PSS > u.Resident || u.Threads < 2 || u.Memory != u.Resident || u.Handles < 100 || u.Handles > 1000 {
		t.Errorf("%+v", u)
	}
}
