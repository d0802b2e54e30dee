package upgrade

import (
	"os"
)

// removeLocked closes the file first: an open one has to stay.
func removeLocked(f *os.File, path string) {
	f.Close()
	_ = os.Remove(path)
}
