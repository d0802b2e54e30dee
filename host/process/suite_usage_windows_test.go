package process_test

import (
	"testing"

	"servicehost/host/process"
)

// checkUsage checks what of a full look is of this system.
func checkUsage(t *testing.T, u process.Usage) {
	t.Helper()
	if u.Memory != u.Private || u.PSS != 0 {
		t.Errorf("%+v", u)
	}
	if underWine() {
		return // which counts neither handles nor threads nor what is read
	}
	if u.WriteBytes < 1<<20 || u.Handles < 100 || u.Handles > 10000 || u.Threads < 2 {
		t.Errorf("%+v", u)
	}
}
