//go:build unix

package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrivateDirIsMadeWithItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := MakePrivateDir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
}

func TestFolderOfOthersIsRefused(t *testing.T) {
	refused := func(path, want string) {
		t.Helper()
		err := MakePrivateDir(path, 0o700)
		if unfit, ok := errors.AsType[*Unfit](err); !ok || !strings.Contains(unfit.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	refused(path, "everybody may write into it (mode 0777)")

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(file, "it is not a folder")

	if os.Geteuid() != 0 {
		return
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(foreign, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	refused(foreign, "it belongs to user 12345")
}

func TestUnknownAccountIsNamed(t *testing.T) {
	err := MakePrivateDirFor(filepath.Join(t.TempDir(), "x"), 0o700, "nobody-has-this-name")
	if err == nil || !strings.Contains(err.Error(), "nobody-has-this-name") {
		t.Errorf("error is %v", err)
	}
}
