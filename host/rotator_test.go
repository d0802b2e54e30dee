package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func contentOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}

// smallLog is a log of which 10 bytes and 2 older files are kept.
func smallLog(t *testing.T, path string) *rotator {
	t.Helper()
	r := &rotator{path: path, max: 10, keep: 2}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.f.Close() })
	return r
}

func TestHostLogIsRotatedAndKeepsSoMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.log")
	w := smallLog(t, path)
	for n := range 5 {
		if _, err := fmt.Fprintf(w, "line %d\n", n); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"": "line 4\n", ".1": "line 3\n", ".2": "line 2\n", ".3": "", ".0": ""} {
		if got := contentOf(t, path+name); got != want {
			t.Errorf("%q holds %q, want %q", name, got, want)
		}
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Errorf("another program can't rename it: %v", err)
	}
}

func TestHostLogIsRotatedWhenAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.log")
	w := smallLog(t, path)
	for n := range 2 {
		if _, err := fmt.Fprintf(w, "line %d\n", n); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing to rotate
			if err := w.Rotate(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, want := range map[string]string{"": "", ".1": "line 1\n", ".2": "line 0\n", ".3": ""} {
		if got := contentOf(t, path+name); got != want {
			t.Errorf("%q holds %q, want %q", name, got, want)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("there is no current file:", err)
	}
}

func TestHostLogThatCannotBeRotatedGrowsAndKeepsItsPast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "host.log")
	w := smallLog(t, path)
	if err := os.WriteFile(path+".1", []byte("the past\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A folder that is not empty can't be replaced.
	if err := os.MkdirAll(filepath.Join(path+".0", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for n := range 5 {
		line := fmt.Sprintf("line %d\n", n)
		want.WriteString(line)
		if _, err := w.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got := contentOf(t, path); got != want.String() {
		t.Errorf("it holds %q, want %q", got, want.String())
	}
	if err := w.Rotate(); err == nil || !strings.Contains(err.Error(), "it grows on") {
		t.Errorf("rotated by hand: %v", err)
	}
	if _, err := w.Write([]byte("more\n")); err != nil || contentOf(t, path) != want.String()+"more\n" {
		t.Errorf("after that: %v, %q", err, contentOf(t, path))
	}
	if got := contentOf(t, path+".1"); got != "the past\n" {
		t.Errorf("the past is %q", got)
	}
}
