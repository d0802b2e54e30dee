package logs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"servicehost/host/human"
)

// logFile is a current log file, opened for appending. Tests put others in its place.
type logFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
	info() (fileInfo, error)
	// reserve fails with the error that a write of n bytes behind size would fail with, where the
	// system can tell beforehand.
	reserve(size, n int64) error
}

// fileInfo is what decides whether a file may be used and whether it is still the same one.
type fileInfo struct {
	id      fileID
	size    int64
	modTime time.Time
	links   int
	gone    bool // removed, though still open here
	regular bool
}

// fileID names a file whatever its name: device and inode, or volume and index.
type fileID struct{ volume, index uint64 }

// fileSystem is the part of the system that tests make fail.
type fileSystem struct {
	open   func(path string) (logFile, error)
	rename func(from, to string) error
	// locked reports whether an error of open means that another program has the file, which passes.
	locked func(error) bool
	volume func(dir string) (volume, error)
}

var realFiles = fileSystem{open: openLog, rename: renameLog, locked: isLocked, volume: volumeOf}

type diskFile struct{ *os.File }

func (f diskFile) info() (fileInfo, error)     { return fileInfoOf(f.File) }
func (f diskFile) reserve(size, n int64) error { return reserveSpace(f.File, size, n) }

// File modes of logs: their owner writes, his group reads.
const (
	dirMode  = 0o750
	fileMode = 0o640
)

var errLink = errors.New("it is a link, and logs are never written through one")

// openLog opens or creates a log for appending, with its folder.
func openLog(path string) (logFile, error) {
	f, err := openAppend(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
			return nil, err
		}
		f, err = openAppend(path)
	}
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

// checkRegular refuses what isn't a plain file and closes it.
func checkRegular(f *os.File) (*os.File, error) {
	info, err := fileInfoOf(f)
	if err == nil && !info.regular {
		err = &fs.PathError{Op: "open", Path: f.Name(), Err: errors.New("not a regular file")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// renameLog renames without ever replacing a file.
func renameLog(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("cannot rename %s: %s exists", human.Path(from), human.Path(to))
	}
	return os.Rename(from, to)
}

// cause is the innermost reason of a file error, without operation and path.
func cause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
