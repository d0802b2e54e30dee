package probe

import "golang.org/x/sys/unix"

const closeOnExec = unix.MSG_CMSG_CLOEXEC

// passCredentials has the kernel say with each message who sent it, see unix(7).
func passCredentials(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
}

func credentials(m *unix.SocketControlMessage, from *Sender) {
	if c, err := unix.ParseUnixCredentials(m); err == nil {
		*from = Sender{PID: int(c.Pid), UID: int(c.Uid), GID: int(c.Gid)}
	}
}
