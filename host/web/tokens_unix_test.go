//go:build unix

package web

import (
	"os"
	"strings"
	"testing"
)

func TestTokenThatEverybodyReadsIsTold(t *testing.T) {
	r := newRig(t)
	path := r.file("token", readToken1)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if text, warning, err := readToken(path); err != nil || text != readToken1 || !strings.Contains(warning, "every account") {
		t.Errorf("%q, %q, %v", text, warning, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, warning, _ := readToken(path); warning != "" {
		t.Errorf("a group may read it: %q", warning)
	}
	if _, _, err := readToken(r.dir); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("a folder: %v", err)
	}
}
