package reload

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const hashOne, hashTwo = "1f2e3d4c5b6a79880123456789abcdef01234567", "2f2e3d4c5b6a79880123456789abcdef01234567"

func loose(message string) []byte {
	body := "tree " + hashTwo + "\nauthor Li \x1bWei <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\n" + message
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	fmt.Fprintf(z, "commit %d\x00%s", len(body), body)
	z.Close()
	return b.Bytes()
}

// repo lays what git lays for one commit on a branch.
func repo(t *testing.T) (dir, git string) {
	dir = t.TempDir()
	git = filepath.Join(dir, ".git")
	write(t, filepath.Join(git, "HEAD"), "ref: refs/heads/main\n")
	write(t, filepath.Join(git, "refs", "heads", "main"), hashOne+"\n")
	write(t, filepath.Join(git, "objects", hashOne[:2], hashOne[2:]), string(loose("raise api memory\n\nbecause\n")))
	return dir, git
}

func TestReadCommitOfABranch(t *testing.T) {
	dir, git := repo(t)
	want := Commit{Hash: hashOne[:7], Subject: "raise api memory", Author: "Li Wei"}
	for _, path := range []string{dir, filepath.Join(dir, "conf", "deep", "services.yaml"), git} {
		if got, ok := ReadCommit(path); !ok || got != want {
			t.Errorf("%s: %+v %v", path, got, ok)
		}
	}
	must(t, os.Remove(filepath.Join(git, "refs", "heads", "main")))
	if got, ok := ReadCommit(dir); ok {
		t.Errorf("a branch without a commit: %+v", got)
	}
	write(t, filepath.Join(git, "packed-refs"), "# pack-refs with: peeled\n"+hashTwo+" refs/heads/other\n"+hashOne+" refs/heads/main\n^"+hashTwo+"\n")
	if got, ok := ReadCommit(dir); !ok || got != want {
		t.Errorf("packed: %+v %v", got, ok)
	}
	write(t, filepath.Join(git, "HEAD"), hashTwo+"\n")
	if got, ok := ReadCommit(dir); !ok || got != (Commit{Hash: hashTwo[:7]}) {
		t.Errorf("detached, commit in a pack: %+v %v", got, ok)
	}
}

func TestReadCommitOfWorkTreesAndSubmodules(t *testing.T) {
	dir, git := repo(t)
	tree := filepath.Join(dir, "beside")
	own := filepath.Join(git, "worktrees", "beside")
	write(t, filepath.Join(tree, ".git"), "gitdir: "+own+"\n")
	write(t, filepath.Join(own, "HEAD"), "ref: refs/heads/main\n")
	write(t, filepath.Join(own, "commondir"), "../..\n")
	if got, ok := ReadCommit(tree); !ok || got.Subject != "raise api memory" {
		t.Errorf("work tree: %+v %v", got, ok)
	}
	sub := filepath.Join(dir, "sub")
	write(t, filepath.Join(sub, ".git"), "gitdir: ../.git/modules/sub\n")
	write(t, filepath.Join(git, "modules", "sub", "HEAD"), hashTwo+"\n")
	if got, ok := ReadCommit(sub); !ok || got.Hash != hashTwo[:7] {
		t.Errorf("submodule: %+v %v", got, ok)
	}
}

func TestReadCommitRefusesWhatGitDoesNotLay(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir, git string){
		"ref outside refs": func(t *testing.T, _, git string) { write(t, filepath.Join(git, "HEAD"), "ref: ../secret\n") },
		"ref climbing":     func(t *testing.T, _, git string) { write(t, filepath.Join(git, "HEAD"), "ref: refs/../../secret\n") },
		"ring of refs": func(t *testing.T, _, git string) {
			write(t, filepath.Join(git, "refs", "heads", "main"), "ref: refs/heads/main\n")
		},
		"no hash": func(t *testing.T, _, git string) {
			write(t, filepath.Join(git, "refs", "heads", "main"), "root:x:0:0\n")
		},
		"large HEAD": func(t *testing.T, _, git string) { write(t, filepath.Join(git, "HEAD"), strings.Repeat("x", 1<<20)) },
		"pointer anywhere": func(t *testing.T, dir, git string) {
			other := filepath.Join(dir, "other")
			must(t, os.Rename(git, other))
			write(t, git, "gitdir: "+other+"\n")
		},
		"commondir elsewhere": func(t *testing.T, dir, git string) {
			other := filepath.Join(dir, "other")
			must(t, os.Rename(git, other))
			write(t, filepath.Join(git, "HEAD"), "ref: refs/heads/main\n")
			write(t, filepath.Join(git, "commondir"), other)
		},
		"empty": func(t *testing.T, _, git string) { must(t, os.RemoveAll(git)); must(t, os.Mkdir(git, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, git := repo(t)
			write(t, filepath.Join(dir, "secret"), hashTwo+"\n")
			spoil(t, dir, git)
			if got, ok := ReadCommit(dir); ok {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSubjectIsFitForATerminal(t *testing.T) {
	for message, want := range map[string]string{
		"plain":                           "plain",
		"\n\nlate\n\nbody":                "late",
		"two\nlines\n\nbody":              "two lines",
		"crlf\r\n\r\nbody":                "crlf",
		"\x1b[31mred\x1b[0m\a \u202eevil": "[31mred[0m evil",
		"语言 \xff ok":                      "语言 ok",
		"":                                "",
		strings.Repeat("a", 200):          strings.Repeat("a", maxSubject-1) + "…",
	} {
		if got := titleOf(loose(message)); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
	bomb := loose(strings.Repeat("a", 2<<20))
	if got := titleOf(bomb); got != strings.Repeat("a", maxSubject-1)+"…" {
		t.Errorf("a huge message: %d bytes", len(got))
	}
}

func titleOf(data []byte) string {
	o, _ := parseLoose(bytes.NewReader(data))
	_, title, _ := parseCommit(o.data)
	return title
}

func TestReadCommitAgreesWithGit(t *testing.T) {
	bin, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here to compare with")
	}
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir,
			"GIT_AUTHOR_NAME=\u674e\u4f1f", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	check := func(what, path, subject string) {
		t.Helper()
		got, ok := ReadCommit(path)
		if want := git("-C", path, "rev-parse", "HEAD")[:shortHash]; !ok || got != (Commit{want, subject, "\u674e\u4f1f"}) {
			t.Errorf("%s: %+v %v, want %s %q", what, got, ok, want, subject)
		}
	}
	git("init", "-q", ".")
	if _, ok := ReadCommit(dir); ok {
		t.Error("a repository without a commit has one")
	}
	git("commit", "-q", "--allow-empty", "-m", "first commit", "-m", "body")
	check("fresh", dir, "first commit")
	git("worktree", "add", "-q", "-b", "side", "tree")
	check("work tree", filepath.Join(dir, "tree"), "first commit")
	git("pack-refs", "--all")
	check("packed refs", dir, "first commit")
	git("checkout", "-q", "--detach")
	check("detached", dir, "first commit")
	git("gc", "-q")
	check("packed objects", dir, "first commit")
	if loose, _ := filepath.Glob(filepath.Join(dir, ".git", "objects", "??")); len(loose) > 0 {
		t.Errorf("%s are not packed: that is not tested", loose)
	}
}

func FuzzCommit(f *testing.F) {
	f.Add([]byte("ref: refs/heads/main\n"), loose("subject"))
	f.Add([]byte(hashOne), []byte("x\x9c"))
	f.Fuzz(func(t *testing.T, ref, obj []byte) {
		hash, next, ok := parseRef(ref)
		if ok && (hash == "") == (next == "") {
			t.Fatalf("%q: %q and %q", ref, hash, next)
		}
		if next != "" && ok && !filepath.IsLocal(filepath.FromSlash(next)) {
			t.Fatalf("%q leads out of the repository", next)
		}
		if h, ok := findPacked(bytes.NewReader(ref), "refs/heads/main"); ok && !isHash(h) {
			t.Fatalf("%q is no hash", h)
		}
		o, _ := parseLoose(bytes.NewReader(obj))
		author, title, tree := parseCommit(o.data)
		if strings.ContainsAny(author+title, "\n\r\x1b\x00") || tree != "" && !isHash(tree) {
			t.Fatalf("%q, %q on a terminal, %q", author, title, tree)
		}
		if _, next, ok := treeEntry(obj, "a", 20); ok && !isHash(next) {
			t.Fatalf("%q is no hash", next)
		}
		_, _ = applyDelta(ref, obj)
	})
}
