package spec

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A virus scanner, a backup or an editor may have a file for itself, for a moment.
const (
	lockTries = 10
	lockWait  = 50 * time.Millisecond
)

const (
	errSharingViolation syscall.Errno = 32
	errLockViolation    syscall.Errno = 33
)

var errInUse = errors.New("another program has it for itself; close it there, or try again")

// openShared lets others rename and delete the file meanwhile, as editors do when they save, and waits a
// moment for one that is locked.
func openShared(path string) (*os.File, error) {
	for try := 1; ; try++ {
		f, err := openOnce(path)
		if !errors.Is(err, errSharingViolation) && !errors.Is(err, errLockViolation) {
			return f, err
		}
		if try == lockTries {
			return nil, &os.PathError{Op: "open", Path: path, Err: errInUse}
		}
		time.Sleep(lockWait)
	}
}

func openOnce(path string) (*os.File, error) {
	full, err := filepath.Abs(path)
	if err != nil || len(full) >= syscall.MAX_PATH { // what has to be done then, os does
		return os.Open(path)
	}
	name, err := syscall.UTF16PtrFromString(full)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ,
		syscall.FILE_SHARE_READ|syscall.FILE_SHARE_WRITE|syscall.FILE_SHARE_DELETE, nil, syscall.OPEN_EXISTING, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
