package osservice

import "fmt"

// ByHand is the error of Run in a process that no service manager has started.
type ByHand struct{ Name string }

func (e *ByHand) Error() string {
	return fmt.Sprintf("cannot run as service %q: it was started by hand, not by the service manager; start it with: host daemon start", e.Name)
}
