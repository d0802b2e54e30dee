//go:build unix

package requires

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Hint says how to see more.
func (t *PortTaken) Hint() string { return "" }

// TakenPort says who listens on a TCP port; nil where nobody does. It binds and never listens, so that no client
// takes it for the service.
func TakenPort(n int) *PortTaken {
	unsure := false
	for _, at := range anyAddresses(n) {
		switch err := bind(at); {
		case errors.Is(err, unix.EADDRINUSE):
			return &PortTaken{Port: n, Holder: holder(n)}
		case errors.Is(err, unix.EACCES): // a low port, which it is not for us to have
			unsure = true
		}
	}
	if unsure && listening(n) {
		return &PortTaken{Port: n, Holder: holder(n)}
	}
	return nil
}

// anyAddresses are all on which somebody may listen who is in the way. Some systems let one who takes all
// addresses and one who takes a single one have the same port.
func anyAddresses(n int) []unix.Sockaddr {
	loop6 := [16]byte{15: 1}
	return []unix.Sockaddr{
		&unix.SockaddrInet4{Port: n}, &unix.SockaddrInet4{Port: n, Addr: [4]byte{127, 0, 0, 1}},
		&unix.SockaddrInet6{Port: n}, &unix.SockaddrInet6{Port: n, Addr: loop6},
	}
}

func bind(at unix.Sockaddr) error {
	family := unix.AF_INET
	if _, six := at.(*unix.SockaddrInet6); six {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil //nolint:nilerr // the system has no such addresses: nobody listens there
	}
	defer unix.Close(fd)
	unix.CloseOnExec(fd)
	// As servers do: connections that ended a moment ago are in nobody's way.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if family == unix.AF_INET6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	return unix.Bind(fd, at)
}
