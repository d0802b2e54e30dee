package process_test

import (
	"testing"

	"servicehost/host/process"
)

// checkUsage checks what of a full look is of this system.
func checkUsage(t *testing.T, u process.Usage) {
	t.Helper()
	if u.WriteBytes < 1<<20 || u.Memory != u.Private || u.PSS != 0 {
		t.Errorf("%+v", u)
	}
}
