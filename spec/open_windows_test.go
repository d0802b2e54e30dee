package spec

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// alone opens a file as a program does that shares it with nobody.
func alone(t *testing.T, path string) (release func()) {
	t.Helper()
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ, 0, nil, syscall.OPEN_EXISTING, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() { syscall.CloseHandle(h) }
}

func TestLockedFileIsWaitedForAMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	if err := os.WriteFile(path, []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	release := alone(t, path)
	r := Load(Options{Files: []string{path}})
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "another program has it for itself") {
		t.Errorf("problems: %v", r.Problems)
	}
	loaded := make(chan Result)
	go func() { loaded <- Load(Options{Files: []string{path}}) }()
	release()
	if r := <-loaded; r.Spec == nil {
		t.Errorf("after the lock: %v", r.Problems)
	}
}

func TestFileCanBeReplacedWhileItIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openShared(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(path, path+".old"); err != nil {
		t.Errorf("an editor could not move it aside: %v", err)
	}
}
