package upgrade

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockAt lies far behind the text: a lock keeps others from reading what it covers.
const lockAt = 0x7fffffff

func tryLock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: lockAt})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// removeLocked closes the file first: an open one has to stay.
func removeLocked(f *os.File, path string) {
	f.Close()
	_ = os.Remove(path)
}
