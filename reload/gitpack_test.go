package reload

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gitIn runs git in a folder, away from the settings of whoever runs the test.
func gitIn(t *testing.T, dir string) func(args ...string) string {
	t.Helper()
	bin, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here to compare with")
	}
	return func(args ...string) string {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir,
			"GIT_AUTHOR_NAME=Li Wei", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
}

// Every object of packs with chains of deltas, of both kinds and both hashes, is read as git shows it.
func TestPackedObjectsAreReadAsGitShowsThem(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			git := gitIn(t, dir)
			git("init", "-q", "--object-format="+format, ".")
			rnd := rand.New(rand.NewPCG(1, 2))
			lines := make([]string, 200)
			for n := range lines {
				lines[n] = fmt.Sprint("key", n, ": ", rnd.Int64())
			}
			for n := range 10 {
				lines[rnd.IntN(len(lines))] = fmt.Sprint("changed: ", n)
				for f := range 8 {
					write(t, filepath.Join(dir, "conf", "d", fmt.Sprint("f", f, ".yaml")), strings.Join(lines[f:], "\n"))
				}
				git("add", "-A")
				git("commit", "-q", "-m", fmt.Sprintf("change %d\n\n%s", n, strings.Repeat("the same words in each, for a delta\n", 20)))
			}
			check := func(what string) {
				t.Helper()
				g, ok := openGit(dir)
				if !ok {
					t.Fatal("no repository")
				}
				defer g.close()
				for line := range strings.SplitSeq(git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype) %(objectsize)"), "\n") {
					f := strings.Fields(line)
					o, ok := readObject(g.common, f[0])
					if !ok || o.kind != looseKinds[f[1]] || fmt.Sprint(len(o.data)) != f[2] {
						t.Fatalf("%s: %s read as kind %d with %d bytes, %v", what, line, o.kind, len(o.data), ok)
					}
					if f[1] == "blob" && !isBlob(f[0], o.data) {
						t.Fatalf("%s: the content of %s is another", what, line)
					}
				}
			}
			git("repack", "-q", "-a", "-d", "-f", "--depth=50")
			if deep := git("verify-pack", "-v", ".git/objects/pack/"+packOf(t, dir)+".idx"); !strings.Contains(deep, "chain length = 3") {
				t.Fatal("no deltas of deltas: they are not tested")
			}
			check("offset deltas")
			git("-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-a", "-d", "-f")
			check("ref deltas")

			file := filepath.Join(dir, "conf", "d", "f3.yaml")
			content, err := os.ReadFile(file)
			must(t, err)
			same := func(what, path string, content []byte, wantSame, wantKnown bool) {
				t.Helper()
				if got, known := IsCommitted(path, content); got != wantSame || known != wantKnown {
					t.Errorf("%s: committed %v, known %v", what, got, known)
				}
			}
			same("as committed", file, content, true, true)
			same("with Windows line ends", file, []byte(strings.ReplaceAll(string(content), "\n", "\r\n")), true, true)
			same("edited", file, append(content, '#'), false, true)
			same("new", filepath.Join(dir, "conf", "new.yaml"), content, false, true)
			same("other case", filepath.Join(dir, "Conf", "D", "F3.yaml"), content, true, true)
			same("a folder", filepath.Join(dir, "conf"), content, false, false)
			same("outside", filepath.Join(t.TempDir(), "x"), content, false, false)
		})
	}
}

func packOf(t *testing.T, dir string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, ".git", "objects", "pack", "*.idx"))
	if len(found) != 1 {
		t.Fatalf("%d packs", len(found))
	}
	return strings.TrimSuffix(filepath.Base(found[0]), ".idx")
}

// A pack that is cut or spoiled anywhere reads as nothing, or as what it was: it does no harm.
func TestSpoiledPacksDoNoHarm(t *testing.T) {
	dir := t.TempDir()
	git := gitIn(t, dir)
	git("init", "-q", ".")
	for n := range 4 {
		write(t, filepath.Join(dir, "a"), strings.Repeat("line\n", 50)+fmt.Sprint(n))
		git("add", "-A")
		git("commit", "-q", "-m", "one\n\n"+strings.Repeat("body\n", 20))
	}
	git("repack", "-q", "-a", "-d")
	base := filepath.Join(dir, ".git", "objects", "pack", packOf(t, dir))
	rnd := rand.New(rand.NewPCG(3, 4))
	all := strings.Fields(git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	for _, ext := range []string{".idx", ".pack"} {
		good, err := os.ReadFile(base + ext)
		must(t, err)
		must(t, os.Chmod(base+ext, 0o600))
		for range 100 {
			bad := append([]byte(nil), good...)
			for range 1 + rnd.IntN(4) {
				bad[rnd.IntN(len(bad))] = byte(rnd.Uint32())
			}
			if rnd.IntN(4) == 0 {
				bad = bad[:rnd.IntN(len(bad))]
			}
			must(t, os.WriteFile(base+ext, bad, 0o600))
			g, ok := openGit(dir)
			if !ok {
				t.Fatal("no repository")
			}
			for _, hash := range all {
				readObject(g.common, hash)
			}
			g.close()
		}
		must(t, os.WriteFile(base+ext, good, 0o600))
	}
	if c, ok := ReadCommit(dir); !ok || c.Subject != "one" {
		t.Errorf("%+v %v of the good one", c, ok)
	}
}
