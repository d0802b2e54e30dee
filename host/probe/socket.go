package probe

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync/atomic"
	"time"

	"servicehost/spec"
)

// SocketOptions say who may talk to a Socket.
type SocketOptions struct {
	// Dir is the folder of the sockets on Unix, a private one of the host: it is made where it is missing, open to
	// all for passing through. Its name must leave 20 bytes of the 100 that a socket's path may have. Where it does
	// not, or lies so that Account can't pass, Linux has an address in the abstract namespace instead.
	Dir string
	// Account is who the program runs as: a name or a number, a SID or a name on Windows; empty: as the host.
	Account string
	// LowIntegrity lets a program of low integrity in, on Windows.
	LowIntegrity bool
	// Accept reports whether a message may come from this sender. nil takes, on Linux, those of the account, the
	// host, root, and the process group that SetMain names; elsewhere those whom the system lets write: the account,
	// the host and the administrators. It may be called from several goroutines.
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
	main    atomic.Int64
	server
}

// SetMain says which process the run began with. On Linux its process group is heard too when it has given up its
// account by itself, as servers do that begin as root.
func (s *Socket) SetMain(pid int) { s.main.Store(int64(pid)) }

func (s *Socket) accepts(from Sender) bool {
	if s.opt.Accept != nil {
		return s.opt.Accept(from)
	}
	return s.trusts(from)
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
