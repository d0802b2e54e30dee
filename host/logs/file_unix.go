//go:build unix

package logs

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openAppend opens or creates path for appending. O_NONBLOCK keeps a FIFO that lies there from
// blocking the open; for a regular file it has no meaning.
func openAppend(path string) (*os.File, error) {
	return openPlain(path, unix.O_RDWR|unix.O_APPEND|unix.O_CREAT)
}

// openRead opens a log for reading, not through a link.
func openRead(path string) (*os.File, error) { return openPlain(path, unix.O_RDONLY) }

func openPlain(path string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, fileMode)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ELOOP || err == unix.EMLINK:
			// EMLINK is what FreeBSD says for it.
			return nil, &fs.PathError{Op: "open", Path: path, Err: errLink}
		case err != nil:
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		// Blocking again, or os.NewFile would offer it to the poller.
		if err := unix.SetNonblock(fd, false); err != nil {
			unix.Close(fd)
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		return checkRegular(os.NewFile(uintptr(fd), path))
	}
}

func fileInfoOf(f *os.File) (fileInfo, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fileInfo{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return infoOf(&st), nil
}

// pathInfo looks at what lies at path, not through a link.
func pathInfo(path string) (fileInfo, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return fileInfo{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return infoOf(&st), nil
}

func infoOf(st *unix.Stat_t) fileInfo {
	return fileInfo{
		id:      fileID{volume: uint64(st.Dev), index: st.Ino}, //nolint:unconvert,nolintlint // Dev is int32 on macOS
		size:    st.Size,
		modTime: time.Unix(st.Mtim.Unix()),
		links:   int(st.Nlink),
		gone:    st.Nlink == 0,
		regular: st.Mode&unix.S_IFMT == unix.S_IFREG,
	}
}

// isFull reports whether err is cured by room alone, so that the open file can stay.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// isLocked: nobody can lock a file against being opened here.
func isLocked(error) bool { return false }
