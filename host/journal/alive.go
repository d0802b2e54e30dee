package journal

import (
	"os"
	"path/filepath"
	"time"
)

// aliveName is a file whose time says when a host was alive last: one that is killed writes no event, and may
// have had nothing to write for days.
const aliveName = "alive"

// Alive notes that the host is alive now.
func (j *Journal) Alive() error {
	path := filepath.Join(j.dir, aliveName)
	now := time.Now()
	err := os.Chtimes(path, now, now)
	if os.IsNotExist(err) {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600); err == nil {
			err = f.Close()
		}
	}
	return err
}

// LastAlive is when a host with its journal in dir was alive last; zero: that is not known.
func LastAlive(dir string) time.Time {
	fi, err := os.Lstat(filepath.Join(dir, aliveName))
	if err != nil {
		return time.Time{}
	}
	return fi.ModTime()
}
