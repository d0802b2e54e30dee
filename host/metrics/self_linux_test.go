package metrics

import (
	"os"
	"testing"
)

func TestSelfOnLinuxIsWhatTheSystemSays(t *testing.T) {
	before := readSelf()
	if n := descriptors("/proc/self/fd"); before.handles != n || before.resident < 1<<20 {
		t.Errorf("%d descriptors, listed are %d; %d bytes", before.handles, n, before.resident)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if after := readSelf(); after.handles != before.handles+1 {
		t.Errorf("%d descriptors, and one more are %d", before.handles, after.handles)
	}
}
