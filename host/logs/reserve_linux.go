package logs

import (
	"os"

	"golang.org/x/sys/unix"
)

// reserveSpace takes the blocks for n bytes behind size without making the file longer. File systems
// that can't do that find out when they are written to.
func reserveSpace(f *os.File, size, n int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, size, n)
	if isFull(err) {
		return err
	}
	return nil
}
