package requires

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

func TestFolderIsAskedForTheRightsAndLeftAsItIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Fillable(dir, Env{}); err != nil {
		t.Errorf("an own folder: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(file)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING, 0, 0) // shares it with nobody
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	if err := Readable(file, Env{}); err != nil {
		t.Errorf("a file that somebody has for himself: %v", err)
	}
	if err := Readable(filepath.Join(dir, "none"), Env{}); err == nil {
		t.Error("a file that is not there can be read")
	}
	if err := Fillable(dir, Env{User: "LocalService"}); err != nil {
		t.Errorf("for another account: %v", err)
	}
}
