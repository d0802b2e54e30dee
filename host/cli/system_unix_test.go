//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFoldersOfAServiceAreNotForAll(t *testing.T) {
	dir := t.TempDir()
	state, logs := filepath.Join(dir, "lib", "servicehost", "orders"), filepath.Join(dir, "log", "servicehost", "orders")
	for range 2 {
		if err := makeFolders(state, logs, ""); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]os.FileMode{state: 0o700, logs: 0o750} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, fi.Mode(), err)
		}
	}
	if err := makeFolders(state, logs, "nobody-knows"); err == nil {
		t.Error("no error for a user that is not there")
	}
}
