package probe

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	closeOnExec    = unix.MSG_CMSG_CLOEXEC
	abstractPrefix = "@servicehost-notify-"
)

// letWrite leaves it to the credentials of a message who is heard: a program may have given up its account.
func letWrite(path string, _ int) error { return os.Chmod(path, 0o666) }

// trusts takes what comes from the account of the program, from those who could do anything to it anyway, or from
// its process group. Names of sockets are no secret: /proc/net/unix shows them to all.
func (s *Socket) trusts(from Sender) bool {
	if from.UID == s.uid || from.UID == os.Geteuid() || from.UID == 0 {
		return true
	}
	main := s.main.Load()
	if main <= 0 || from.PID <= 0 {
		return false
	}
	group, err := unix.Getpgid(from.PID)
	return err == nil && int64(group) == main
}

// passCredentials has the kernel say with each message who sent it, see unix(7).
func passCredentials(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
}

func credentials(m *unix.SocketControlMessage, from *Sender) {
	if c, err := unix.ParseUnixCredentials(m); err == nil {
		*from = Sender{PID: int(c.Pid), UID: int(c.Uid), GID: int(c.Gid)}
	}
}
