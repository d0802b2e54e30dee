package requires

import (
	"fmt"

	"servicehost/host/human"
)

// Holder is who listens on a port; PID is 0 where that can't be seen.
type Holder struct {
	PID  int
	Name string // of its program
	User string // whose it is, where no more is known
}

func (h Holder) String() string {
	switch {
	case h.PID != 0 && h.Name != "":
		return fmt.Sprintf("%s, process %d", human.Plain(h.Name), h.PID)
	case h.PID != 0:
		return fmt.Sprintf("process %d", h.PID)
	case h.User != "":
		return "a process of user " + h.User
	}
	return "another process"
}

// PortTaken is why a port can't be listened on.
type PortTaken struct {
	Port   int
	Holder Holder
	// Reserved reports whether nobody listens, and the system does not give it away all the same.
	Reserved bool
}

// Message is a sentence about it.
func (t *PortTaken) Message() string {
	if t.Reserved {
		return fmt.Sprintf("port %d is reserved by the system", t.Port)
	}
	return fmt.Sprintf("port %d is taken by %s", t.Port, t.Holder)
}

// port looks whether nobody listens on a port.
func port(n int) *Unmet {
	if t := TakenPort(n); t != nil {
		return &Unmet{Message: t.Message(), Hint: t.Hint()}
	}
	return nil
}
