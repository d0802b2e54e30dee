package spec

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// loadIn loads files of a folder for this machine.
func loadIn(dir string, names ...string) Result {
	o := Options{LookupEnv: noEnv}
	for _, n := range names {
		o.Files = append(o.Files, filepath.Join(dir, n))
	}
	return Load(o)
}

func names(s *Spec) (out []string) {
	for _, svc := range s.Services {
		out = append(out, svc.ID)
	}
	return out
}

func TestIncludesGiveServicesAndVars(t *testing.T) {
	dir := files(t, map[string]string{
		"services.yaml":       "include: [conf.d/*.yaml, '?opt/${HOST_NAME}.yaml', '?none.yaml', extra.yaml]\nhost: {name: h1}\nvars: {A: main}\nservices: {a: {command: '${A} ${B}'}}",
		"conf.d/b.yaml":       "vars: {A: included, B: b}\nservices: {b: {command: ./b, dir: here, env_file: b.env}}",
		"conf.d/b.env":        "FROM=file\n",
		"conf.d/.hidden.yaml": "nonsense",
		"opt/h1.yaml":         "services: {c: {command: c}}",
		"extra.yaml":          "include: [conf.d/deep/*.yaml]\nservices: {}\n",
		"conf.d/deep/d.yaml":  "services: {d: {command: d, log: {path: d.log}}}",
	})
	r := loadIn(dir, "services.yaml")
	if r.Spec == nil {
		t.Fatal(r.Problems.Error())
	}
	if got := strings.Join(names(r.Spec), " "); got != "a b c d" {
		t.Errorf("services %s", got)
	}
	if got := strings.Join(service(t, r.Spec, "a").Command, " "); got != "main b" {
		t.Errorf("command %s: vars of the main file must win", got)
	}
	b := service(t, r.Spec, "b")
	if b.Dir != filepath.Join(dir, "conf.d", "here") || b.CommandDir != filepath.Join(dir, "conf.d") || *b.Env["FROM"] != "file" || !b.EnvFromFile["FROM"] {
		t.Errorf("%+v", b)
	}
	if d := service(t, r.Spec, "d"); d.Log.Path != filepath.Join(dir, "conf.d", "deep", "d.log") {
		t.Errorf("%s", d.Log.Path)
	}
	want := map[string]bool{"services.yaml": true, "conf.d/*.yaml*": true, "conf.d/b.yaml": true, "conf.d/b.env": true, "opt/h1.yaml": true,
		"none.yaml-": true, "extra.yaml": true, "conf.d/deep/*.yaml*": true, "conf.d/deep/d.yaml": true}
	for _, in := range r.Inputs {
		rel, _ := filepath.Rel(dir, in.Path)
		rel = filepath.ToSlash(rel)
		if in.Glob {
			rel += "*"
		} else if in.Hash == "" {
			rel += "-"
		}
		if !want[rel] {
			t.Errorf("unexpected input %s", rel)
		}
		delete(want, rel)
	}
	if len(want) > 0 {
		t.Errorf("missing inputs %v", want)
	}
}

func TestIncludeProblemsAreNamed(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"missing", map[string]string{"services.yaml": "include: [none.yaml]\nservices: {}"},
			[]string{`services.yaml:1:11: include.0: "none.yaml" does not exist; a "?" before the name makes it optional`}},
		{"twice", map[string]string{"services.yaml": "include: [a.yaml, b.yaml]\nservices: {}", "a.yaml": "services: {x: {command: x}}", "b.yaml": "services:\n  x: {command: x}"},
			[]string{"b.yaml:2:3: services.x: is there already, in ", "a.yaml:1"}},
		{"loop", map[string]string{"services.yaml": "include: [a.yaml]\nservices: {}", "a.yaml": "include: [b.yaml]", "b.yaml": "include: [a.yaml]"},
			[]string{"files include each other: ", "a.yaml → ", "b.yaml → "}},
		{"itself", map[string]string{"services.yaml": "include: [services.yaml]\nservices: {}"}, []string{"files include each other"}},
		{"sections", map[string]string{"services.yaml": "include: [a.yaml]\nservices: {}", "a.yaml": "host: {}\ndefaults: {}\nenv: {}\nservices: {}"},
			[]string{"a.yaml:1:1: host: belongs into the main file", "defaults: belongs", "env: belongs"}},
		{"null services", map[string]string{"services.yaml": "include: [a.yaml]\nservices: {}", "a.yaml": "services:"}, []string{"services: must be a mapping"}},
		{"not YAML", map[string]string{"services.yaml": "include: [a.yaml]\nservices: {}", "a.yaml": "services: {"}, []string{"a.yaml:1: "}},
		{"empty main", map[string]string{"services.yaml": "include: [a.yaml]\nservices:", "a.yaml": "services: {}"}, []string{"services: is empty"}},
		{"vars twice", map[string]string{"services.yaml": "include: [a.yaml, b.yaml]\nservices: {}", "a.yaml": "vars: {X: 1}", "b.yaml": "vars: {X: 2}"}, []string{"vars.X: is there already"}},
		{"bad pattern", map[string]string{"services.yaml": "include: ['[a.yaml']\nservices: {}"}, []string{"is not a pattern"}},
		{"not a list", map[string]string{"services.yaml": "include: {a: b}\nservices: {}"}, []string{"include: must be a list"}},
		{"folder", map[string]string{"services.yaml": "include: [d]\nservices: {}", "d/x": ""}, []string{`"d" is a folder`}},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, loadIn(files(t, c.files), "services.yaml"), c.want...) })
	}
}

// TestIncludePatternMayMatchTheFileItself: include: ['*.yaml'] beside the main file is no loop.
func TestIncludePatternMayMatchTheFileItself(t *testing.T) {
	dir := files(t, map[string]string{"[x]/services.yaml": "include: ['*.yaml', a.yaml]\nservices: {}", "[x]/a.yaml": "services: {a: {command: a}}"})
	if r := loadIn(dir, "[x]/services.yaml"); r.Spec == nil || len(r.Spec.Services) != 1 {
		t.Errorf("%v", r.Problems)
	}
}

func TestIncludesMayStandForServices(t *testing.T) {
	dir := files(t, map[string]string{"services.yaml": "include: [a.yaml]", "a.yaml": "services: {a: {command: a}}"})
	if r := loadIn(dir, "services.yaml"); r.Spec == nil {
		t.Error(r.Problems.Error())
	}
}

func TestSeveralFilesMergeLeftToRight(t *testing.T) {
	dir := files(t, map[string]string{
		"a/base.yaml": "host: {name: base, reload: {mode: manual, quiet: 1s}}\nenv: {A: '1', B: '2'}\nvars: {V: one}\nservices:\n  a: {command: [x, '${V}'], restart: {delay: 5s}, depends_on: [b], env: {K: v}, log: {path: a.log}}\n  b: {command: b}\n  gone: {command: g}\n",
		"b/over.yaml": "host: {name: over, reload: {quiet: 2s}}\nenv: {B: null}\nvars: {V: two}\nservices:\n  a: {args: [y], restart: on-failure, depends_on: {c: {}}, env: {K: null}, log: {stderr: e.log}}\n  c: {command: c}\n  gone: null\n",
	})
	r := loadIn(dir, "a/base.yaml", "b/over.yaml")
	if r.Spec == nil {
		t.Fatal(r.Problems.Error())
	}
	s := r.Spec
	if got := strings.Join(names(s), " "); got != "a b c" {
		t.Errorf("services %s", got)
	}
	if s.Host.Name != "over" || s.Host.Reload.Mode != ReloadManual || s.Host.Reload.Quiet.Seconds() != 2 {
		t.Errorf("%+v", s.Host)
	}
	a := service(t, s, "a")
	if !slices.Equal(a.Command, []string{"x", "two", "y"}) || a.Restart.Policy != RestartOnFailure || a.Restart.Delay.Seconds() != 5 || len(a.DependsOn) != 2 {
		t.Errorf("%+v", a)
	}
	if k, ok := a.Env["K"]; !ok || k != nil {
		t.Errorf("a null in env is a value: %v", a.Env)
	}
	if b, ok := a.Env["B"]; !ok || b != nil || *a.Env["A"] != "1" {
		t.Errorf("%v", a.Env)
	}
	if a.Log.Path != filepath.Join(dir, "a", "a.log") || a.Log.Stderr != filepath.Join(dir, "b", "e.log") {
		t.Errorf("paths are relative to the file that says them: %+v", a.Log)
	}
	if s.Path != filepath.Join(dir, "a", "base.yaml") {
		t.Error(s.Path)
	}
	refused(t, loadIn(dir, "a/base.yaml", "a/base.yaml"), "is given twice")
	refused(t, loadIn(dir, "a/base.yaml", "none.yaml"), "none.yaml: does not exist")
}

func TestOptionalNamesNeedNoQuotesInBrackets(t *testing.T) {
	dir := files(t, map[string]string{
		"services.yaml": "include: [a.yaml, ?none.yaml, ?b.yaml]\nservices:\n  c: {command: c, env_file: [?none.env, ?c.env]}",
		"a.yaml":        "services: {a: {command: a}}",
		"b.yaml":        "services: {b: {command: b}}",
		"c.env":         "C=1\n",
	})
	r := loadIn(dir, "services.yaml")
	if r.Spec == nil {
		t.Fatal(r.Problems.Error())
	}
	if got := strings.Join(names(r.Spec), " "); got != "a b c" {
		t.Errorf("services are %q", got)
	}
	if v := service(t, r.Spec, "c").Env["C"]; v == nil || *v != "1" {
		t.Errorf("C of c is %v", v)
	}
	refused(t, loadText(t, "include: [? none.yaml, {a: null}]\nservices: {}"), "include.0: must be a single value, found a mapping", "include.1: must be a single value, found a mapping")
}

func TestPatternThatMatchesTooMuchIsGivenUp(t *testing.T) {
	dir := files(t, map[string]string{"a/1.yaml": "", "a/2.yaml": "", "b/3.yaml": "", "b/none": ""})
	if got, err := glob(dir, filepath.Join("*", "*.yaml"), 5); err != nil || len(got) != 3 {
		t.Errorf("two folders and three files: %q, %v", got, err)
	}
	if got, err := glob(dir, filepath.Join("*", "*.yaml"), 4); !errors.Is(err, errManyMatches) {
		t.Errorf("one too many: %q, %v", got, err)
	}
}
