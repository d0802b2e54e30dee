package supervisor

import (
	"os"
	"path/filepath"
	"testing"
)

// A real program and folder, so that specs of the tests can be started as far as their paths go.
var (
	trueProgram = mustExecutable()
	tempDir     = filepath.Clean(os.TempDir())
)

func mustExecutable() string {
	p, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return p
}

func TestMain(m *testing.M) { os.Exit(m.Run()) }
