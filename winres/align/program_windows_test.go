package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is a copy of this test's own, and so one that can be run.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program.exe")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func runs(t *testing.T, path string) {
	t.Helper()
	if out, err := exec.Command(path, "-test.list", ".").CombinedOutput(); err != nil {
		t.Errorf("it does not run: %v\n%s", err, out)
	}
}
