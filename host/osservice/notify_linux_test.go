package osservice

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// Older versions of systemd, and container managers, hand over a socket in the abstract namespace.
func TestNotifyTakesAnAbstractSocket(t *testing.T) {
	received := notifySocket(t, fmt.Sprintf("@servicehost-test-%d", os.Getpid()))
	takeNotifier().send("READY=1")
	if got := received(); !slices.Equal(got, []string{"READY=1"}) {
		t.Errorf("%q", got)
	}
}
