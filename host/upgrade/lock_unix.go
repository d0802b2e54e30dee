//go:build unix

package upgrade

import (
	"os"
)

// removeLocked removes the file while the lock is held, so that nobody takes a file without a name.
func removeLocked(f *os.File, path string) {
	_ = os.Remove(path)
	f.Close()
}
