package requires

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

func TestVersionIsFoundInWhatProgramsSay(t *testing.T) {
	for output, want := range map[string]string{
		"git version 2.39.2\n": "2.39.2",
		"openjdk version \"11.0.2\" 2019-01-15\nOpenJDK Runtime Environment 18.9 (build 11.0.2+9)": "11.0.2",
		"Picked up JAVA_TOOL_OPTIONS: -Xmx512m -Dx=1.2\njava 21 2023-09-19 LTS":                    "21",
		"v20.11.1\n":                                     "20.11.1",
		"go version go1.22.1 linux/amd64":                "1.22.1",
		"psql (PostgreSQL) 15.3 (Debian 15.3-0+deb12u1)": "15.3",
		"Redis server v=7.0.15 sha=00000000:0 malloc":    "7.0.15",
		"less 590 (GNU regular expressions)\nCopyright":  "590",
		"usage: x":   "",
		"":           "",
		"\r\n 7\r\n": "7",
	} {
		if got := versionIn(output); got != want {
			t.Errorf("%q: got %q, want %q", output, got, want)
		}
	}
}

func TestVersionsAreComparedByWhatIsWanted(t *testing.T) {
	for _, c := range []struct {
		have, op, want string
		ok             bool
	}{
		{"17.0.2", ">=", "17", true}, {"17.0.2", "=", "17", true}, {"17.0.2", ">", "17", false}, {"17.0.2", "<=", "17", true},
		{"11.0.2", ">=", "17", false}, {"17", ">=", "17.0.1", false}, {"17", "<", "17.0.1", true}, {"9.10", ">", "9.9", true},
		{"5.10.0-28-amd64", ">=", "5.10.1", false}, {"5.10.7-28-amd64", "=", "5.10.7", true}, {"3.12.0rc1", ">=", "3.12", true},
		{"1.2", "", "", true}, {"99999999999999999999", ">", "1", false}, {"", ">=", "0", true},
	} {
		if got := satisfies(c.have, spec.Need{Name: "x", Op: c.op, Version: c.want}); got != c.ok {
			t.Errorf("%s %s %s: %v", c.have, c.op, c.want, got)
		}
	}
}

// told is a program that answers some of the ways to ask for a version.
func told(path string, answers map[string]string, runs *[]string) Env {
	return Env{
		Resolve: func(string) (string, error) { return path, nil },
		Run: func(_ context.Context, _ string, args []string) (string, bool, error) {
			*runs = append(*runs, strings.Join(args, " "))
			out, ok := answers[args[0]]
			return out, ok, nil
		},
	}
}

func TestCommandIsAskedForItsVersion(t *testing.T) {
	for name, c := range map[string]struct {
		answers map[string]string
		runs    []string
		want    string
	}{
		"too old":      {map[string]string{"--version": "x 11.0.2"}, []string{"--version"}, "command x: version 11.0.2, wanted >= 17"},
		"new enough":   {map[string]string{"--version": "x 17.0.2"}, []string{"--version"}, ""},
		"in its way":   {map[string]string{"--version": "no number", "version": "x 18"}, []string{"--version", "-version", "version"}, ""},
		"tells nobody": {nil, []string{"--version", "-version", "version"}, "command x: it does not tell its version: neither"},
	} {
		t.Run(name, func(t *testing.T) {
			var runs []string
			got := command(t.Context(), spec.Need{Name: "x", Op: ">=", Version: "17"}, told(filepath.Join(t.TempDir(), "x"), c.answers, &runs))
			if !slices.Equal(runs, c.runs) {
				t.Errorf("asked by %q", runs)
			}
			if (got == nil) != (c.want == "") || got != nil && !strings.HasPrefix(got.Message, c.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestCommandWithoutAVersionIsNotRun(t *testing.T) {
	var runs []string
	env := told("x", nil, &runs)
	if u := command(t.Context(), spec.Need{Name: "x"}, env); u != nil || len(runs) != 0 {
		t.Errorf("told %+v, run %q", u, runs)
	}
	env.Run = nil
	if u := command(t.Context(), spec.Need{Name: "x", Op: ">", Version: "1"}, env); u != nil {
		t.Errorf("where programs are not run: %+v", u)
	}
}

func TestOldJavaIsNumberedAsEverybodyDoes(t *testing.T) {
	var runs []string
	env := told("/opt/jdk8/bin/java", map[string]string{"-version": `java version "1.8.0_292"`}, &runs)
	if u := command(t.Context(), spec.Need{Name: "java", Op: ">=", Version: "8"}, env); u != nil {
		t.Errorf("told %+v", u)
	}
	if u := command(t.Context(), spec.Need{Name: "java", Op: ">=", Version: "11"}, env); u == nil || !strings.Contains(u.Message, "version 8.0, wanted >= 11") {
		t.Errorf("told %+v", u)
	}
}

func TestVersionIsRememberedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{known: map[program]answer{}, turns: make(chan struct{}, 1)}
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte("a"), 0o700); err != nil {
			t.Fatal(err)
		}
		var runs []string
		env := told(path, map[string]string{"--version": "1.2"}, &runs)
		ask := func(want int) {
			t.Helper()
			if v, err := m.of(t.Context(), path, env); v != "1.2" || err != nil || len(runs) != want {
				t.Fatalf("version %q, %v, run %d times, want %d", v, err, len(runs), want)
			}
		}
		ask(1)
		ask(1)
		env.User = "other" // may see another one
		ask(2)
		if err := os.WriteFile(path, []byte("longer"), 0o700); err != nil {
			t.Fatal(err)
		}
		ask(3)
		time.Sleep(keepVersions)
		ask(4)
		if len(m.known) != 1 {
			t.Errorf("%d versions are kept", len(m.known))
		}
	})
}

func TestCommandThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := Env{
			Resolve: func(string) (string, error) { return "/none/hangs", nil },
			Run: func(ctx context.Context, _ string, _ []string) (string, bool, error) {
				<-ctx.Done()
				return "", false, ctx.Err()
			},
		}
		got := Check(t.Context(), spec.Requires{Commands: []spec.Need{{Name: "x", Op: ">", Version: "1"}}}, env)
		if len(got) != 1 || got[0].Message != "command x: it did not tell its version within 3s" {
			t.Errorf("told %+v", got)
		}
		env.Run = func(context.Context, string, []string) (string, bool, error) { return "", false, errors.New("broken") }
		if u := command(t.Context(), spec.Need{Name: "x", Op: ">", Version: "1"}, env); u == nil || u.Message != "command x: it does not tell its version: broken" {
			t.Errorf("told %+v", u)
		}
	})
}
