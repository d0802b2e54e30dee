//go:build unix

package web

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openToken does not wait where the path is a pipe that nobody writes to.
func openToken(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
}

// openToOthers reports whether any account may read the file.
func openToOthers(st fs.FileInfo) bool { return st.Mode().Perm()&0o004 != 0 }
