//go:build unix

package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFileThatOthersReadIsRefused(t *testing.T) {
	path := write(t, "hunter2")
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o700: true, 0o640: false, 0o604: false, 0o620: false, 0o666: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Resolver{}.Resolve(t.Context(), Source{From: FromFile, Name: path})
		switch {
		case mode == 0o400 && os.Getuid() != 0 && err != nil:
			t.Errorf("mode %04o: %v", mode, err)
		case (err == nil) != fine:
			t.Errorf("mode %04o: %v", mode, err)
		case err != nil && !strings.Contains(err.Error(), "mode is 0"):
			t.Errorf("mode %04o is not said: %v", mode, err)
		}
	}
}

func TestPipeIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Resolver{}).Resolve(t.Context(), Source{From: FromFile, Name: path}); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("error %v", err)
	}
}

func TestWindowsHasItsOwnPlaces(t *testing.T) {
	for _, s := range []Source{{From: FromDPAPI, Name: write(t, "AAAA")}, {From: FromCredential, Name: "db"}} {
		if _, err := (Resolver{}).Resolve(t.Context(), s); err == nil || !strings.Contains(err.Error(), "only Windows") {
			t.Errorf("%s: %v", s, err)
		}
	}
	if _, err := Protect([]byte("x")); err == nil || CanProtect() {
		t.Error("a secret was protected")
	}
}

func TestNewFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new")
	if err := WriteNew(path, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
}
