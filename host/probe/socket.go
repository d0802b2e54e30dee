package probe

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"

	"servicehost/spec"
)

// SocketOptions say who may talk to a Socket.
type SocketOptions struct {
	// Dir is the folder of the sockets on Unix, a private one of the host: it is made where it is missing, open to
	// all for passing through. Its name must leave 20 bytes of the 100 that a socket's path may have.
	Dir string
	// Account is who the program runs as on Windows: a SID or a name; empty: as the host. On Unix every account
	// may write, and Accept decides.
	Account string
	// LowIntegrity lets a program of low integrity in, on Windows.
	LowIntegrity bool
	// Accept reports whether a message may come from this sender; nil takes all. It may be called from several
	// goroutines.
	Accept func(Sender) bool
}

// Sender is who sent a message, as the kernel says. PID is 0 where it does not: macOS.
type Sender struct {
	PID, UID, GID int // UID and GID are -1 on Windows
}

// A Socket takes what one run says by sd_notify: a datagram socket on Unix, a named pipe on Windows. It is opened
// before the process is started, so that its address can be in the environment; what is said before Serve waits.
type Socket struct {
	address string
	opt     SocketOptions
	server
}

// Listen opens a socket with a name that can't be guessed.
func Listen(o SocketOptions) (*Socket, error) {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it does not fail
	s := &Socket{opt: o}
	if err := s.open(hex.EncodeToString(b[:])); err != nil {
		return nil, err
	}
	return s, nil
}

// Address is the value of NOTIFY_SOCKET.
func (s *Socket) Address() string { return s.address }

// NotifyVariables are those that a child must not inherit from the host, whose own manager is meant by them.
var NotifyVariables = []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}

// Env is what a program needs to know. WATCHDOG_PID is not among it: it would have to hold the id of a process
// that does not exist yet, and its absence means whoever reads it.
func (s *Socket) Env(h *spec.Health) []string {
	env := []string{"NOTIFY_SOCKET=" + s.address}
	if h != nil && h.Liveness != nil && h.Liveness.Notify {
		p := withDefaults(*h.Liveness, Liveness)
		env = append(env, "WATCHDOG_USEC="+strconv.FormatInt(int64(p.Period/time.Microsecond), 10))
	}
	return env
}

// NeedsSocket reports whether any probe is answered by sd_notify.
func NeedsSocket(h *spec.Health) bool {
	for _, p := range questions(h) {
		if p != nil && p.Notify {
			return true
		}
	}
	return false
}
