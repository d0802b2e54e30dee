//go:build unix

package secrets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openFile does not wait where the path is a pipe that nobody writes to.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
}

// checkMode refuses a secret that others may read or change.
func checkMode(s Source, st fs.FileInfo) error {
	if mode := st.Mode().Perm(); mode&0o066 != 0 {
		return fmt.Errorf("%s may be read or changed by others, its mode is %04o; chmod 600 makes it yours alone", s, mode)
	}
	return nil
}

var errWindowsOnly = errors.New("only Windows has that; use {file: …} with a file of mode 0600")

func unprotect(s Source, _ []byte) ([]byte, error) {
	return nil, fmt.Errorf("%s is protected by Windows: %w", s, errWindowsOnly)
}

func readCredential(s Source) ([]byte, error) { return nil, fmt.Errorf("%s: %w", s, errWindowsOnly) }

// Protect makes a secret unreadable outside of this machine. Only Windows can.
func Protect([]byte) ([]byte, error) { return nil, errWindowsOnly }

// CanProtect reports whether Protect works here.
func CanProtect() bool { return false }

// WriteNew writes a file that is not there yet and that its owner alone may read.
func WriteNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return finish(f, content)
}
