package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestLengthOfAPathIsBlamedWhereItMayBeTheCause(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		dir = filepath.Join(dir, strings.Repeat("x", 60))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "app.exe")
	if err := os.WriteFile(exe, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, code := range []error{windows.ERROR_FILE_NOT_FOUND, windows.ERROR_FILENAME_EXCED_RANGE, windows.ERROR_INVALID_PARAMETER} {
		for want, r := range map[string]Request{
			"its path has":                   {Path: exe},
			"cannot run a program in folder": {Path: `C:\windows\system32\cmd.exe`, Dir: dir},
		} {
			if err := startError(r, code); !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v, want %q", code, err, want)
			}
		}
	}
	if err := startError(Request{Path: exe + ".not"}, windows.ERROR_FILE_NOT_FOUND); !strings.Contains(err.Error(), "not found") {
		t.Errorf("a long path to nothing: %v", err)
	}
}
