//go:build unix && !linux

package probe

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	closeOnExec    = 0  // descriptors that come with a message are closed at once here
	abstractPrefix = "" // there is no such namespace
)

// letWrite has the system let nobody but the program's account, and root, write: a message does not tell its sender.
func letWrite(path string, uid int) error {
	if uid != os.Geteuid() {
		if err := os.Chown(path, uid, -1); err != nil {
			return err
		}
	}
	return os.Chmod(path, 0o600)
}

func (s *Socket) trusts(Sender) bool { return true }

// Datagrams carry no credentials on these systems.
func passCredentials(int) error { return nil }

func credentials(*unix.SocketControlMessage, *Sender) {}
