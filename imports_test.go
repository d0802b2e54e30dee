// Package main_test keeps the shape of the repository: who may import whom, and that every package
// says what it is for. It reads the sources of all systems, whichever it runs on.
package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "servicehost"

// layers orders the packages: each may import those of lower layers only. .golangci.yml says the same.
var layers = [][]string{
	{"spec", "host/jsonl", "host/human", "host/web/page"},
	{"host/files", "host/outbound", "host/image"},
	{"reload", "host/process", "host/probe", "host/requires", "host/logs", "host/restart", "host/schedule", "host/state", "host/journal", "host/action", "host/osservice", "host/secrets", "host/shadow", "host/eventlog", "host/upgrade"},
	{"host/supervisor", "host/control", "host/forward", "host/usage", "host/notify", "host/process/processtest", "host/state/statetest"},
	{"host/thresholds", "host/metrics", "host/web", "host/top"},
	{"host", "host/doctor"},
	{"host/cli", "bench/soak"},
	{"."},
}

// alone are packages that import nothing of ours.
var alone = []string{"samples/quickstart/demo", "bench/nssm", "bench/peers", "bench/peers/floor", "winres/align"}

// forTests are packages that only tests may import.
var forTests = append([]string{"host/process/processtest", "host/state/statetest"}, alone...)

// testOnly are folders that hold nothing but tests of the whole.
var testOnly = []string{"samples", "host/e2e"}

type sourceFile struct {
	path string // slashes, below the root
	test bool
	ast  *ast.File
}

// sources parses the head of every Go file, by folder.
func sources(t *testing.T) map[string][]sourceFile {
	t.Helper()
	out := map[string][]sourceFile{}
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && file != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || name == "dist") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(set, file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		out[path.Dir(file)] = append(out[path.Dir(file)], sourceFile{file, strings.HasSuffix(name, "_test.go"), parsed})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out["spec"]) == 0 {
		t.Fatal("no sources found; the test must run in the root of the repository")
	}
	return out
}

// imports returns what of ours a file imports, as folders.
func (f sourceFile) imports() []string {
	var out []string
	for _, i := range f.ast.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		switch {
		case err != nil:
		case name == module:
			out = append(out, ".")
		case strings.HasPrefix(name, module+"/"):
			out = append(out, strings.TrimPrefix(name, module+"/"))
		}
	}
	return out
}

func layerOf(dir string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.Contains(layer, dir) })
}

func TestImportsGoOneWay(t *testing.T) {
	for dir, files := range sources(t) {
		if slices.Contains(testOnly, dir) {
			for _, f := range files {
				if !f.test && len(f.imports()) > 0 {
					t.Errorf("%s imports %v, but %s is for tests only", f.path, f.imports(), dir)
				}
			}
			continue
		}
		own := layerOf(dir)
		isAlone := slices.Contains(alone, dir)
		if own < 0 && !isAlone {
			t.Errorf("package %s has no place: add it to a layer in imports_test.go and to .golangci.yml", dir)
			continue
		}
		for _, f := range files {
			for _, other := range f.imports() {
				switch {
				case other == dir && f.test:
				case slices.Contains(forTests, other) && !f.test:
					t.Errorf("%s imports %s, which is for tests only", f.path, other)
				case slices.Contains(alone, other):
				case layerOf(other) < 0:
					t.Errorf("%s imports %s, which has no place in the layers", f.path, other)
				case isAlone || layerOf(other) >= own && !(f.test && layerOf(other) == own):
					t.Errorf("%s imports %s: imports go from main over host/cli and host down to spec, never up or sideways", f.path, other)
				}
			}
		}
	}
}

func TestEveryPackageHasOneDoc(t *testing.T) {
	for dir, files := range sources(t) {
		var docs []string
		code := false
		for _, f := range files {
			if f.test {
				continue
			}
			code = true
			if f.ast.Doc == nil {
				continue
			}
			docs = append(docs, f.path)
			text, want := f.ast.Doc.Text(), "Package "+f.ast.Name.Name+" "
			if f.ast.Name.Name == "main" {
				want = "Command "
			}
			if !strings.HasPrefix(text, want) {
				t.Errorf("the doc in %s must begin with %q", f.path, want)
			}
		}
		if code && len(docs) != 1 {
			t.Errorf("package %s must have one doc comment, found %d %v", dir, len(docs), docs)
		}
	}
}
