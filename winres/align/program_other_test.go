//go:build !windows

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is this program, built for Windows.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program.exe")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// runs has nothing to say: the tests on Windows and under Wine run it.
func runs(*testing.T, string) {}
