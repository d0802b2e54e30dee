package process

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigchld is the SIGCHLD form of siginfo_t: https://man7.org/linux/man-pages/man2/sigaction.2.html
type sigchld struct {
	pid    int32
	uid    uint32
	status int32
}

// childInfo returns what waitid filled in. The union lies behind three ints, aligned to a word.
func childInfo(si *unix.Siginfo) sigchld {
	const word = unsafe.Sizeof(uintptr(0))
	offset := (3*unsafe.Sizeof(int32(0)) + word - 1) &^ (word - 1)
	return *(*sigchld)(unsafe.Add(unsafe.Pointer(si), offset))
}
