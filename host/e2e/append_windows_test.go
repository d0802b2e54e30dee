package e2e

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockAppends holds the file until it is closed: Wine looks for the end and then writes, in two steps. The locked
// place is behind all that is read, for Windows refuses to read what somebody locked.
func lockAppends(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 20})
}
