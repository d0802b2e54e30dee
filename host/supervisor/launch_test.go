package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"servicehost/spec"
)

// programIn makes a file that may be run, and returns its path.
func programIn(t *testing.T, dir, name string) string {
	t.Helper()
	if searchBase { // Windows
		name += ".exe"
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandIsNeverFoundInTheWorkingFolder(t *testing.T) {
	work, base, bin := t.TempDir(), t.TempDir(), t.TempDir()
	t.Chdir(work)
	programIn(t, work, "planted")
	own := programIn(t, bin, "tool")
	near := programIn(t, base, "near")
	env := &environment{}
	env.place.Store(&place{name: "test", dir: base})
	s := &spec.Service{Dir: work}
	path := strings.Join([]string{".", "", "relative", bin}, string(os.PathListSeparator))
	vars := []string{"PATH=" + path, "PATHEXT=.COM;.EXE"}

	for _, name := range []string{"planted", "./planted"} {
		if got, err := resolve(env, name, s, vars); err == nil {
			t.Errorf("%q is taken from the working folder: %q", name, got)
		}
	}
	for name, want := range map[string]string{"tool": own, "./near": near, near: near} {
		got, err := resolve(env, name, s, vars)
		if err != nil || !strings.EqualFold(got, want) || !filepath.IsAbs(got) {
			t.Errorf("%q is %q (%v), want %q", name, got, err, want)
		}
	}
	// The folder of the spec is searched for a bare name only where people expect it.
	if got, err := resolve(env, "near", s, vars); (err == nil) != searchBase {
		t.Errorf("a bare name is %q (%v)", got, err)
	}
}
