//go:build unix

package shadow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLinksStayWithinTheFolder(t *testing.T) {
	s, src := rig(t)
	dir := filepath.Dir(src.Program)
	must(t, os.Symlink("deep/a.dll", filepath.Join(dir, "lib", "near")))
	must(t, os.Symlink(filepath.Join(dir, "lib", "deep"), filepath.Join(dir, "absolute")))
	must(t, unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "helper"), nil, 0o600))
	must(t, os.Chmod(filepath.Join(dir, "helper"), 0o755|os.ModeSetuid))
	program, err := s.Make(t.Context(), src)
	must(t, err)
	in := filepath.Dir(program)
	for name, want := range map[string]string{"lib/near": "deep/a.dll", "absolute": "lib/deep"} {
		if got, err := os.Readlink(filepath.Join(in, name)); err != nil || got != want {
			t.Errorf("%s leads to %q, %v", name, got, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(in, "pipe")); err == nil {
		t.Error("a pipe was copied")
	}
	if st, err := os.Stat(filepath.Join(in, "helper")); err != nil || st.Mode()&os.ModeSetuid != 0 || st.Mode().Perm() != 0o755 {
		t.Errorf("a program that runs as its owner: %v, %v", st.Mode(), err)
	}
}

func TestLinksOutOfTheFolderAreRefused(t *testing.T) {
	for _, target := range []string{"../secret", "/etc/passwd", "lib/../../secret", "climb"} {
		s, src := rig(t)
		dir := filepath.Dir(src.Program)
		write(t, filepath.Join(filepath.Dir(dir), "secret"), "x")
		if target == "climb" { // a link to a link
			must(t, os.Symlink("..", filepath.Join(dir, "up")))
			target = "up/secret"
		}
		must(t, os.Symlink(target, filepath.Join(dir, "out")))
		if _, err := s.Make(t.Context(), src); err == nil || !strings.Contains(err.Error(), "leads out of it") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestPruneFollowsNoLink(t *testing.T) {
	s, src := rig(t)
	program, err := s.Make(t.Context(), src)
	must(t, err)
	outside := filepath.Join(t.TempDir(), "keep")
	write(t, outside, "x")
	must(t, os.Symlink(filepath.Dir(outside), filepath.Join(filepath.Dir(program), "trap")))
	must(t, os.Symlink(filepath.Dir(outside), filepath.Join(s.Dir(), "api", "2")))
	must(t, os.Chmod(filepath.Dir(program), 0o500))
	if n, err := s.Prune(nil); n != 0 || err != nil {
		t.Errorf("%d left, %v", n, err)
	}
	if read(t, outside) != "x" {
		t.Error("a file outside is gone")
	}
	if l := left(t, s); len(l) > 0 {
		t.Errorf("kept %v", l)
	}
}

// TestAReleaseBehindALinkIsCopied: current → releases/42, as many deploy.
func TestAReleaseBehindALinkIsCopied(t *testing.T) {
	s, src := rig(t)
	dir := filepath.Dir(src.Program)
	current := filepath.Join(filepath.Dir(dir), "current")
	must(t, os.Symlink("app", current))
	src.Program = filepath.Join(current, "api.exe")
	src.Content = map[string]string{src.Program: sum("one")}
	program, err := s.Make(t.Context(), src)
	must(t, err)
	if st, err := os.Lstat(filepath.Dir(program)); err != nil || !st.IsDir() || read(t, program) != "one" {
		t.Errorf("%v, %v", st, err)
	}
}

func TestAnotherUserReachesItsCopy(t *testing.T) {
	s, src := rig(t)
	src.User = "nobody"
	must(t, os.Chmod(filepath.Dir(src.Program), 0o755))
	program, err := s.Make(t.Context(), src)
	must(t, err)
	for dir := filepath.Dir(program); dir != filepath.Dir(filepath.Dir(s.Dir())); dir = filepath.Dir(dir) {
		if st, err := os.Stat(dir); err != nil || st.Mode().Perm()&0o001 == 0 || st.Mode().Perm()&0o022 != 0 {
			t.Errorf("%s: %v, %v", dir, st.Mode(), err)
		}
	}
}
