package files

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockAt lies far behind the text of a file: a lock on Windows keeps others from reading what it covers, and they shall
// read who holds it.
const lockAt = 0x7fffffff

// TryLock takes the lock on an open file without waiting, and reports whether it did. It ends with the file.
func TryLock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: lockAt})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}
