package reload

import (
	"io/fs"
	"syscall"
	"time"
)

// fileIdentity tells a file from another of its name, size and time by its creation. That of its last
// change of any kind would need the file to be opened.
func fileIdentity(_ string, fi fs.FileInfo) (id uint64, changed time.Time) {
	if d, ok := fi.Sys().(*syscall.Win32FileAttributeData); ok {
		return uint64(d.CreationTime.Nanoseconds()), time.Time{}
	}
	return 0, time.Time{}
}

// maxSubfolders: a watch on a tree sees to them all, see trees.
const maxSubfolders = 0
