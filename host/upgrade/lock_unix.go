//go:build unix

package upgrade

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func tryLock(f *os.File) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		default:
			return false, err
		}
	}
}

// removeLocked removes the file while the lock is held, so that nobody takes a file without a name.
func removeLocked(f *os.File, path string) {
	_ = os.Remove(path)
	f.Close()
}
