//go:build unix && !linux

package requires

import (
	"net"
	"strconv"
	"time"
)

// listening tries the port, where it may not be bound.
func listening(n int) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n)), time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// holder is not told by these systems without a look into the kernel's memory.
func holder(int) Holder { return Holder{} }
