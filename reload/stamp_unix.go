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

// maxSubfolders is how many folders of one group are watched beside those that it names; polls see to the rest. A
// user has so many watches on all files together, by default 8192 on older systems:
// https://man7.org/linux/man-pages/man7/inotify.7.html
const maxSubfolders = 1000
