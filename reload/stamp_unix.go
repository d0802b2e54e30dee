//go:build unix

package reload

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// fileIdentity is what tells a file from another of its name, size and time: its number, and the time of
// its last change of any kind, which nobody can set.
func fileIdentity(path string, _ fs.FileInfo) (id uint64, changed time.Time) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return 0, time.Time{}
	}
	return st.Ino, time.Unix(st.Ctim.Unix())
}

// watchSubfolders: a watch on a folder in a folder holds up nobody.
const watchSubfolders = true
