package control

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

func peerCredentials(fd int) (credentials, error) {
	u, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return credentials{}, err
	}
	// Without SO_PEERGROUPS (before Linux 4.13) only the effective group counts.
	return credentials{uid: int(u.Uid), groups: append(peerGroups(fd), int(u.Gid))}, nil
}

func peerGroups(fd int) []int {
	buf := make([]uint32, 32)
	for range 2 {
		size := uint32(len(buf)) * 4
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch errno {
		case 0:
			groups := make([]int, 0, size/4)
			for _, g := range buf[:size/4] {
				groups = append(groups, int(g))
			}
			return groups
		case unix.ERANGE:
			buf = make([]uint32, size/4) // the kernel said how much it takes
		default:
			return nil
		}
	}
	return nil
}
