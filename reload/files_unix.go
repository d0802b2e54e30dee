//go:build unix

package reload

import (
	"os"

	"golang.org/x/sys/unix"
)

// openShared does not wait for a writer where the path is a named pipe.
func openShared(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
}

// isLocked: a lock here does not keep anybody from reading.
func isLocked(error) bool { return false }

// foldersAbove: a watched folder tells of its own removal and renaming.
func foldersAbove(string) []string { return nil }
