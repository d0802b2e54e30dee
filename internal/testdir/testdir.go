// Package testdir gives tests a folder of their own that can also be removed under Wine, where the
// way in which testing.TB.TempDir removes files is not there. It is for tests only.
package testdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// New returns a new folder, without links in its path, that is removed with all it holds when the
// test ends. A file that is still open then fails the test on Windows.
func New(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "test-")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := Remove(dir); err != nil {
			tb.Errorf("cannot remove the folder of the test: %v", err)
		}
	})
	return dir
}

// Remove removes path and everything beneath it, one by one; links are not followed. Windows refuses
// while somebody looks into a folder, which passes, so it tries for a while.
func Remove(path string) error {
	var all []string
	err := filepath.WalkDir(path, func(p string, _ fs.DirEntry, err error) error {
		if err == nil {
			all = append(all, p)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, p := range slices.Backward(all) {
		err := os.Remove(p)
		for end := time.Now().Add(2 * time.Second); err != nil && !os.IsNotExist(err) && time.Now().Before(end); err = os.Remove(p) {
			time.Sleep(5 * time.Millisecond)
		}
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
