package spec

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fragments are what the random files of a test are made of: whole and broken, as people write them and as nobody does.
var fragments = struct{ heads, services, tails, included, envs []string }{
	heads: []string{
		"services:\n", "# by hand\n\nservices: # all\n", "vars: {V: one}\nservices:\n", "vars: {V: two}\nservices:\n", "defaults: {restart: on-failure}\nservices:\n",
		"x-t: &t\n  restart: {delay: 3s}\nservices:\n", "x-t: &t\n  restart: {delay: 4s}\nservices:\n", "defaults: {depends_on: [b]}\nservices:\n",
		"host: {logs: {dir: /l1}}\nservices:\n\n", "host: {logs: {dir: /l2}, shutdown_timeout: 1s}\nservices:\n", "include: [conf.d/*.yaml]\nservices:\n",
		"services: {}\nservices:\n", "services: &s\n", "env: {A: '1'}\nservices:\n", "x-s: \"\n\nservices:\n  a: \"\nservices:\n", "defaults: {env_file: ['?e1.env']}\nservices:\n",
		"defaults: {env: {HOST_NAME: x}}\nservices:\n", "services:\r\n", "--- # a document\nservices:\n", "<<: {x-m: 1}\nservices:\n", "host: {log_targets: {t1: {type: json, url: 'http://h/'}}}\nservices:\n",
	},
	services: []string{
		"command: run 1\n", "command: run 2\n", "command: run ${V:-v}\n", "command: run ${NONE}\n", "command: [run, a,\n b]\n", "command: \"run\n  x: y\"\n",
		"command: run\n<<: *t\n", "command: run\nenv: &e {A: '2'}\n", "command: run\nenv: *e\n", "command: run\ndepends_on: [a]\n", "command: run\ndepends_on: {b: {required: false}}\n",
		"command: run\nenabled: false\n", "command: run\nprofiles: [p]\n", "command: run\nprofiles: [other]\n", "command: run\ninstances: 3\nlog: {path: 'l/${HOST_INSTANCE}.log'}\n",
		"command: run\nport: 80\n", "command: run\nport: 81\ninstances: 2\n", "command: run\nlog: {path: same.log}\n", "command: run\nlog: {path: p.log, stderr: ./p.log, format: text}\n",
		"command: run\ntype: oneshot\nrestart: always\n", "command: run\nthresholds: [{memory: 1MiB, action: notify}]\n", "command: run\nenv_file: e1.env\n", "command: run\nenv_file: ['?e2.env', e1.env]\n",
		"command: run\nbad_key: 1\n", "\n", "# nothing\n", "command: |\n  run\n\n  more\n", "command: |+\n  run\n\n\n", "command: >-\n  run\n# at the margin\n", "command: run\nlog: {forward: [t1]}\n",
		"command: run\ndescription: |\n", "\tcommand: run\n", "command: run\n\n# of the next\n", "command: run\n...\n", "command: run\n--- \n", "command: 'run\u0085x: y'\n", "command: run\nstop: {timeout: 50s}\n",
		"command: run\nx-config: {a: 1}\n", "command: run\ndescription: a\\\n b\n", "- run\n", "? command\n: run\n", "command: run\nenv: {HOST_NAME: x}\n", "command: run ${V}\ndepends_on: {a: {condition: completed}}\n",
	},
	tails:    []string{"", "", "x-end: 1\n", "notify: [{webhook: 'http://h/', services: [a]}]\n", "vars: {V: three}\n", "...\n", "# the end\n", "defaults:\n  description: d\n", "x-end: *e\n"},
	included: []string{"services:\n", "vars: {V: four}\nservices:\n", "# c\nservices:\n", "version: 1\nservices:\n"},
	envs:     []string{"A=1\n", "A=2\nB=3\n", "A=1\nA=2\n", "A='\n", ""},
}

// randomFiles writes files into a folder and changes them, a little at a time.
type randomFiles struct {
	t   testing.TB
	r   *rand.Rand
	dir string
	state
}

type state struct {
	head, tail string
	names      []string
	of         map[string]string // keys by name
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (f *randomFiles) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// serviceText is a service with its keys under its name.
func serviceText(name, keys, indent string) string {
	b := indent + name + ":\n"
	for line := range strings.Lines(keys) {
		if strings.TrimSpace(line) == "" || line[0] == '#' || line == "...\n" || line == "--- \n" {
			b += line
		} else {
			b += indent + "  " + line
		}
	}
	return b
}

func (f *randomFiles) change() {
	for range 1 + f.r.IntN(2) {
		switch kind := f.r.IntN(20); {
		case kind < 8 && len(f.names) > 0:
			f.of[pick(f.r, f.names)] = pick(f.r, fragments.services)
		case kind < 12:
			name := pick(f.r, []string{"a", "b", "c", "d", "e", "A", "x-f", "web-1"})
			at := f.r.IntN(len(f.names) + 1)
			if f.r.IntN(3) > 0 && slices.Contains(f.names, name) {
				continue
			}
			f.names = slices.Insert(f.names, at, name)
			f.of[name] = pick(f.r, fragments.services)
		case kind < 13 && len(f.names) > 0:
			at := f.r.IntN(len(f.names))
			f.names = slices.Delete(f.names, at, at+1)
		case kind < 14:
			f.head = pick(f.r, fragments.heads)
		case kind < 16:
			f.tail = pick(f.r, fragments.tails)
		case kind < 17:
			f.write("e1.env", pick(f.r, fragments.envs))
		case kind < 18 && f.r.IntN(2) == 0:
			os.Remove(filepath.Join(f.dir, "e2.env"))
		case kind < 18:
			f.write("e2.env", pick(f.r, fragments.envs))
		case kind < 19:
			name := pick(f.r, []string{"g", "h", "a"})
			f.write("conf.d/"+name+".yaml", pick(f.r, fragments.included)+serviceText(name, pick(f.r, fragments.services), "  "))
		default:
			os.Remove(filepath.Join(f.dir, "conf.d", pick(f.r, []string{"g", "h", "a"})+".yaml"))
		}
	}
	b := f.head
	for _, name := range f.names {
		b += serviceText(name, f.of[name], "  ")
	}
	b += f.tail
	if f.r.IntN(8) == 0 && b != "" { // any damage
		at := f.r.IntN(len(b))
		b = b[:at] + pick(f.r, []string{"", "\n", " ", "'", "\"", "]", "\t", ": ", "a", "&x ", "- ", "\r"}) + b[at+f.r.IntN(2):]
	}
	if f.r.IntN(10) == 0 {
		b = strings.TrimSuffix(b, "\n")
	}
	f.write("services.yaml", b)
}

// sameResult compares what a reader returns with what a load returns that knows of no former one.
func sameResult(t testing.TB, got, want Result, text func() string) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	a, b := resultLines(got), resultLines(want)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("not the same, first in\n%s\nwant\n%s\nof\n%s", a[i], b[i], text())
		}
	}
	t.Fatalf("not the same: %d parts, want %d, of\n%s", len(a), len(b), text())
}

func resultLines(r Result) []string {
	lines := []string{fmt.Sprint(r.Problems), fmt.Sprint(r.Warnings), fmt.Sprint(r.Inputs)}
	if r.Spec == nil {
		return lines
	}
	all := *r.Spec
	all.Services = nil
	lines = append(lines, fmt.Sprintf("%+v", all))
	for _, s := range r.Spec.Services {
		part := *s
		part.Env = nil
		lines = append(lines, fmt.Sprintf("%+v", part))
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			if v := s.Env[name]; v != nil {
				name += "=" + *v
			}
			lines = append(lines, s.ID+" "+name)
		}
	}
	return lines
}

// TestReaderReturnsWhatLoadReturns edits files at random and holds what a reader makes of each state of them
// against a load that knows nothing of the ones before.
func TestReaderReturnsWhatLoadReturns(t *testing.T) {
	runs, taken, sound := 60, 0, 0
	if testing.Short() || slowness > 1 {
		runs = 10
	}
	for seed := range runs {
		f := &randomFiles{t: t, r: rand.New(rand.NewPCG(uint64(seed), 1)), dir: t.TempDir(), state: state{head: "services:\n", names: []string{"a", "b", "c", "d"}, of: map[string]string{}}}
		for _, name := range f.names {
			f.of[name] = fragments.services[0]
		}
		if err := os.Mkdir(filepath.Join(f.dir, "conf.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(f.dir, "services.yaml")
		o := Options{Files: []string{path}, LookupEnv: noEnv, Profiles: []string{"p"}, DefaultName: "test"}
		r := NewReader(o)
		for range 40 {
			was := f.state
			was.names, was.of = slices.Clone(f.names), maps.Clone(f.of)
			f.change()
			before := r.former.Load()
			want := Load(o)
			text := func() string { b, _ := os.ReadFile(path); return string(b) }
			sameResult(t, r.Look(), want, text)
			sameResult(t, r.Load(), want, text)
			if want.Spec == nil {
				if f.r.IntN(5) > 0 { // else it would soon be broken for good
					f.state = was
				}
			} else {
				sound++
				if before != nil {
					taken += inCommon(before, r.former.Load())
				}
			}
		}
	}
	if sound < 10*runs || taken < sound {
		t.Errorf("of %d files without a problem %d services were taken over: this tests nothing", sound, taken)
	}
}

func inCommon(a, b *former) (n int) {
	for path, s := range a.sources {
		if o := b.sources[path]; o != nil {
			for _, k := range s {
				if slices.Contains(o, k) {
					n++
				}
			}
		}
	}
	return n
}

// TestReaderTakesOverWhatDidNotChange tells by the pointers of services that nothing was made anew.
func TestReaderTakesOverWhatDidNotChange(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "services.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const a, b, c = "  a:\n    command: a\n", "  b:\n    command: b\n    depends_on: [a]\n", "  c:\n    # more\n    command: c\n    env_file: c.env\n    instances: 2\n"
	write("services.yaml", "services:\n"+a+b+c)
	write("c.env", "A=1\n")
	r := NewReader(Options{Files: []string{path}, LookupEnv: noEnv})
	last := map[string]*Service{}
	load := func(made ...string) {
		t.Helper()
		res := r.Load()
		if res.Spec == nil {
			t.Fatal(res.Problems.Error())
		}
		var got []string
		now := map[string]*Service{}
		for _, s := range res.Spec.Services {
			if now[s.ID] = s; last[s.ID] != s {
				got = append(got, s.ID)
			}
		}
		last = now
		if !slices.Equal(got, made) {
			t.Errorf("%q were made anew, not %q", got, made)
		}
	}
	load("a", "b", "c.1", "c.2")
	load()
	write("services.yaml", "services:\n"+b+a+c)
	load()
	write("services.yaml", "services:\n  n:\n    command: n\n"+a+strings.Replace(b, "command: b", "command: b2", 1)+c)
	load("b", "n")
	write("c.env", "A=2\n")
	load("c.1", "c.2")
	write("services.yaml", "services:\n"+a+c)
	load()
	write("services.yaml", "services:\n"+a+c+": {")
	if res := r.Load(); res.Spec != nil {
		t.Fatal("no problem")
	}
	write("services.yaml", "services:\n"+a+c)
	load()
	write("services.yaml", "# parsed as a whole\nservices:\n"+a+c)
	load()
	write("services.yaml", "vars: {N: 1}\nservices:\n"+a+c)
	load()
	write("services.yaml", "env: {N: '1'}\nservices:\n"+a+c)
	load("a", "c.1", "c.2")
}

// hardPairs are texts of which the second looks as if less had changed than has.
var hardPairs = [][2]string{
	{"services:\n  a:\n    command: x\n  b:\n    command: y\n", "services:\n  a:\n    command: x\n  b:\n    command: z\n"},
	{"services:\n  a:\n    command: x\n    env: &e {A: '1'}\n  b:\n    command: y\n    env: *e\n", "services:\n  a:\n    command: x\n    env: &e {A: '2'}\n  b:\n    command: y\n    env: *e\n"},
	{"services:\n  a:\n    command: \"x\n  b: y\"\n", "services:\n  a:\n    command: x\n  b: {command: y}\n"},
	{"services:\n  a:\n    command: x\n  b:\n    command: y\n", "services:\n  a:\n    command: \"x\n  b:\n    command: y\"\n"},
	{"x: &a b\nservices:\n  a:\n    command: *a\n  b:\n    command: |+\n     y\n\n", "services:\n  b:\n    command: |+\n     y\n\n"},
	{"x: &a b\nservices:\n  a:\n    command: *a\n", "x: &a c\nservices:\n  a:\n    command: *a\n"},
	{"services:\n  a:\n    command: x\n    enabled: false\n  b:\n    command: y\n    depends_on: {a: {required: false}}\n",
		"services:\n  a:\n    command: x\n  b:\n    command: y\n    depends_on: {a: {required: false}}\n"},
	{"services:\n  a:\n    command: x\n  b:\n    command: y\n    env_file: twice.env\n", "services:\n  a:\n    command: z\n  b:\n    command: y\n    env_file: twice.env\n"},
	{"services:\n  a:\n    command: x\n    env_file: twice.env\n  b:\n    command: y\n    env_file: twice.env\n", "services:\n  a:\n    command: x\n  b:\n    command: y\n    env_file: twice.env\n"},
	{"services:\n  a:\n    command: x\n  b:\n    command: y\n    log: {path: one.log}\n", "services:\n  a:\n    command: x\n    log: {path: one.log}\n  b:\n    command: y\n    log: {path: one.log}\n"},
	{"services:\n  a:\n    command: x\n  b:\n    command: [y,\nz]\nx-e: 1\n", "services:\n  a:\n    command: w\n  b:\n    command: [y,\nz]\nx-e: 1\n"},
	{"services:\n  a:\n    command: x\n  b:\n    command: y", "services:\n  b:\n    command: y\n  a:\n    command: x\n"},
	{"services:\n  a:\n    command: x\n    description: |\n  b:\n    command: y\n", "services:\n  a:\n    command: x\n    description: |\n   b:\n    command: y\n"},
}

// TestReaderIsNotFooled loads hard pairs one after the other, both ways round.
func TestReaderIsNotFooled(t *testing.T) {
	for _, p := range hardPairs {
		readInTurn(t, p[0], p[1], p[0])
	}
}

func readInTurn(t *testing.T, texts ...string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "services.yaml")
	if err := os.WriteFile(filepath.Join(dir, "twice.env"), []byte("A=1\nA=2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := Options{Files: []string{path}, Platform: "linux", LookupEnv: noEnv, DefaultName: "test"}
	r := NewReader(o)
	for _, text := range texts {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		sameResult(t, r.Load(), Load(o), func() string { return text })
	}
}

// FuzzReader loads one text after the other with a reader.
func FuzzReader(f *testing.F) {
	for _, p := range hardPairs {
		f.Add(p[0], p[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) { readInTurn(t, first, second, first) })
}

// TestReaderMindsDrives has a letter of Windows mean something else between two loads.
func TestReaderMindsDrives(t *testing.T) {
	f := &former{outside: (&loader{}).outside(), drives: map[string]drive{"E": {}}}
	answer := drive{}
	l := &loader{driveOf: func(string) drive { return answer }}
	if f.differs(l) {
		t.Error("nothing changed")
	}
	if answer.remote = true; !f.differs(l) {
		t.Error("the drive is that of somebody else now")
	}
}
