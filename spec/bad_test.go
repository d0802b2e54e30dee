package spec

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite generated files and expected texts")

// noEnv is an environment that has nothing.
func noEnv(string) (string, bool) { return "", false }

// TestBadFilesAreRefusedWithEveryProblem compares the problems of testdata/*.bad.yaml, and its
// warnings, with the text beside it.
func TestBadFilesAreRefusedWithEveryProblem(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			t.Chdir("testdata")
			name := filepath.Base(file)
			platform := "linux"
			if strings.HasPrefix(name, "on-windows") {
				platform = "windows"
			}
			r := Load(Options{Files: []string{name}, Platform: platform, LookupEnv: noEnv, Exe: "/opt/host"})
			if r.Spec != nil || len(r.Problems) == 0 {
				t.Fatal("the file was accepted")
			}
			var b strings.Builder
			for _, p := range r.Problems {
				b.WriteString(p.String() + "\n")
			}
			for _, p := range r.Warnings {
				b.WriteString("warning: " + p.String() + "\n")
			}
			got := withoutFolder(t, b.String())
			golden := strings.TrimSuffix(name, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// withoutFolder replaces the present folder in a text, in the style of any platform.
func withoutFolder(t *testing.T, s string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{dir, filepath.ToSlash(dir), strings.ReplaceAll(dir, "/", `\`)} {
		s = strings.ReplaceAll(s, form, "$DIR")
	}
	return s
}
