//go:build unix

package process

import (
	"slices"
	"testing"
)

// A host that runs under another one inherits that one's mark; its children must carry its own alone.
func TestEnvironReplacesTheMarkOfAnOuterHost(t *testing.T) {
	b := &backend{nonce: "inner"}
	id := RunID{Service: "api", Instance: 1, Incarnation: 2}
	got := b.environ(id, []string{"A=1", "HOST_RUN=outer:x.1#1", "B=2"})
	if want := []string{"A=1", "B=2", "HOST_RUN=inner:api.1#2"}; !slices.Equal(got, want) {
		t.Errorf("environ is %q, want %q", got, want)
	}
}
