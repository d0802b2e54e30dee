package reload

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

// openShared lets others rename and delete the file meanwhile, as editors do when they save.
func openShared(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(files.Long(path))
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING,
		windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// isLocked reports whether another process keeps the file from being read, which passes.
func isLocked(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}

// foldersAbove: a watched folder that is renamed says nothing here, the one above it does.
func foldersAbove(dir string) []string {
	if up := filepath.Dir(dir); up != dir {
		return []string{up}
	}
	return nil
}
