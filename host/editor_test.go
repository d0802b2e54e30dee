package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

func TestChangedInputsAreThoseThatDiffer(t *testing.T) {
	in := func(s ...string) (out []spec.Input) {
		for _, v := range s {
			path, hash, _ := strings.Cut(v, "=")
			out = append(out, spec.Input{Path: path, Hash: hash, Glob: strings.Contains(path, "*")})
		}
		return out
	}
	for _, c := range []struct{ before, after, want []string }{
		{[]string{"a=1", "b=1", "*=1"}, []string{"a=1", "b=1", "*=2"}, nil},
		{[]string{"a=1", "b=1"}, []string{"a=1", "b=2"}, []string{"b"}},
		{[]string{"a=1", "b=1"}, []string{"a=1", "c=2"}, []string{"c", "b"}},
		{[]string{"a=1"}, []string{"a="}, []string{"a"}},
	} {
		if got := changedInputs(in(c.before...), in(c.after...)); !slices.Equal(got, c.want) {
			t.Errorf("%v to %v: %v, want %v", c.before, c.after, got, c.want)
		}
	}
}

func TestEditIsToldWithItsCommit(t *testing.T) {
	bin, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here to commit with")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "services.yaml")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir,
			"GIT_AUTHOR_NAME=Li Wei", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=ci", "GIT_COMMITTER_EMAIL=a@b")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inputs := func(hash string) []spec.Input { return []spec.Input{{Path: file, Hash: hash}} }
	git("init", "-q", ".")
	write("one\n")
	git("add", "-A")
	git("commit", "-q", "-m", "first")

	var e editors
	if who := e.edited(inputs("1"), false)(); who != nil {
		t.Errorf("%v before any edit", who)
	}
	write("two\n")
	who := e.edited(inputs("2"), false)()
	if who[journal.DetailUncommitted] != "true" || who[journal.DetailSubject] != "first" || who[journal.DetailOwner] == "" {
		t.Errorf("%v of an edit that is not committed", who)
	}
	git("commit", "-q", "-a", "-m", "raise api memory\n\nbecause")
	if again := e.edited(inputs("2"), false)(); again != nil {
		t.Errorf("%v of no edit", again)
	}
	if held := e.edited(inputs("2"), true)(); held[journal.DetailSubject] != "first" {
		t.Errorf("%v of an edit that was held", held)
	}
	who = e.edited(inputs("3"), false)()
	if who[journal.DetailUncommitted] != "" || who[journal.DetailSubject] != "raise api memory" || who[journal.DetailAuthor] != "Li Wei" {
		t.Errorf("%v of a commit", who)
	}
	said := journal.EditedBy(journal.Event{Details: who})
	if !strings.HasPrefix(said, "commit ") || !strings.Contains(said, ` "raise api memory" by Li Wei (services.yaml of `) {
		t.Errorf("said as %q", said)
	}

	e.touches([]control.PlanChange{{Name: "api", Instance: 1, ID: "api", Action: "restart"}}, func() map[string]string { return who })
	back := journal.Event{Kind: journal.RolledBack, Service: "api", Instance: 1, Reason: "exit 3", Details: map[string]string{"rejected": "abc"}}
	if d := e.blame(back).Details; d[journal.DetailSubject] != "raise api memory" || d["rejected"] != "abc" || len(back.Details) != 1 {
		t.Errorf("a rollback is told with %v", d)
	}
	back.Service = "web"
	if d := e.blame(back).Details; len(d) != 1 {
		t.Errorf("a rollback of another edit is told with %v", d)
	}
}
