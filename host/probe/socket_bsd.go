//go:build unix && !linux

package probe

import "golang.org/x/sys/unix"

// Descriptors that come with a message are closed at once here, in the same call.
const closeOnExec = 0

// Datagrams carry no credentials on these systems.
func passCredentials(int) error { return nil }

func credentials(*unix.SocketControlMessage, *Sender) {}
