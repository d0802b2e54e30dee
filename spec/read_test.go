package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

const chinese = "# 订单服务\nservices: {a: {command: '运行', description: '订单接口服务，负责处理所有订单'}}\n"

func TestEncodingsThatEditorsWriteAreRead(t *testing.T) {
	utf16 := func(e unicode.Endianness) string {
		out, err := unicode.UTF16(e, unicode.UseBOM).NewEncoder().String(chinese)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, text := range map[string]string{
		"UTF-8": chinese, "UTF-8 with BOM": "\ufeff" + chinese, "CRLF": strings.ReplaceAll(chinese, "\n", "\r\n"),
		"UTF-16 little endian": utf16(unicode.LittleEndian), "UTF-16 big endian": utf16(unicode.BigEndian),
	} {
		if s := mustLoad(t, text); s.Services[0].Command[0] != "运行" {
			t.Errorf("%s: %q", name, s.Services[0].Command)
		}
	}
}

func TestOtherEncodingsAreNamed(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(chinese)
	if err != nil {
		t.Fatal(err)
	}
	bare, _ := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(chinese + strings.Repeat("# plain text\n", 20))
	bareBig, _ := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String(chinese + strings.Repeat("# plain text\n", 20))
	for _, c := range []struct{ text, want string }{
		{gbk, "services.yaml:1: is not UTF-8; it looks like GBK"},
		{"a: 1\nb: caf\xe9 na\xefve\n", "services.yaml:2: is not UTF-8; it looks like an ANSI code page"},
		{bare, "looks like UTF-16 (little endian) without a byte order mark"},
		{bareBig, "looks like UTF-16 (big endian) without a byte order mark"},
		{"services:\x00 {}\n", "holds a NUL character"},
		{"\xff\xfes", "odd number of bytes"},
		{"\xff\xfe\x00\x00a\x00\x00\x00", "is in UTF-32"},
		{"\xff\xfe\x00\xd8a\x00", "is not valid UTF-16"},
	} {
		r := loadText(t, c.text)
		refused(t, r, c.want)
		if !strings.Contains(c.want, "NUL") && r.Problems[0].Hint == "" {
			t.Errorf("%s: no hint", c.want)
		}
	}
}

func TestFilesThatAreNoneAreRefused(t *testing.T) {
	dir := t.TempDir()
	refused(t, loadIn(dir, "none.yaml"), "none.yaml: does not exist")
	refused(t, loadIn(dir, "."), "is a folder, not a file")
	refused(t, Load(Options{LookupEnv: noEnv}), "no file is given")
	big := filepath.Join(dir, "big.yaml")
	f, err := os.Create(big)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(100 << 20); err != nil {
		t.Fatal(err)
	}
	f.Close()
	refused(t, loadIn(dir, "big.yaml"), "has 100 MiB; more than 8 MiB is refused")
}

func TestInputsAreReportedAlsoWhenTheLoadFails(t *testing.T) {
	dir := files(t, map[string]string{"services.yaml": "services: {a: {command: x, env_file: [none.env]}}\n"})
	r := loadIn(dir, "services.yaml")
	if len(r.Inputs) != 2 || r.Inputs[0].Hash == "" || r.Inputs[1].Hash != "" || r.Inputs[1].Path != filepath.Join(dir, "none.env") {
		t.Errorf("%+v", r.Inputs)
	}
	if r := loadIn(dir, "gone.yaml"); len(r.Inputs) != 1 || r.Inputs[0].Hash != "" {
		t.Errorf("%+v", r.Inputs)
	}
}

func TestEnvFile(t *testing.T) {
	entries, problems := parseEnvFile("A=1\r\n# c\r\n\r\nexport B = two words # c\nC='lit $x \\n'\nD=\"a\\tb\\n\\\"q\\\" \\$\" # c\nE=\nF=#none\nG=a#b\nH=\"line 1\nline 2\"\nI=1\nI=2\nexport_x=1\nJ='it\nends'\nK=a=b\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []envEntry{{"A", "1", 1}, {"B", "two words", 4}, {"C", `lit $x \n`, 5}, {"D", "a\tb\n\"q\" $", 6}, {"E", "", 7}, {"F", "", 8}, {"G", "a#b", 9},
		{"H", "line 1\nline 2", 10}, {"I", "1", 12}, {"I", "2", 13}, {"export_x", "1", 14}, {"J", "it\nends", 15}, {"K", "a=b", 17}}
	for i, e := range want {
		if i >= len(entries) || entries[i] != e {
			t.Fatalf("entry %d: %+v, want %+v", i, entries, e)
		}
	}
	_, problems = parseEnvFile("A\n=x\nB C=1\nD=\"C:\\temp\\new\"\nE='x' y\nF=\"open\nmore\n")
	lines := []int{1, 2, 3, 4, 5, 6}
	for i, p := range problems {
		if i >= len(lines) || p.line != lines[i] {
			t.Fatalf("%+v", problems)
		}
	}
	if len(problems) != len(lines) {
		t.Fatalf("%+v", problems)
	}
}

func TestEnvFilesAreMergedInOrder(t *testing.T) {
	dir := files(t, map[string]string{
		"services.yaml": "env: {A: root, R: root}\ndefaults: {env: {A: defaults, D: defaults}}\nservices:\n  a: {command: x, env_file: [one.env, two.env, '?none.env'], env: {S: own}}\n",
		"one.env":       "\ufeffA=one\r\nD=one\r\nS=one\r\nX=one\r\n", "two.env": "X=two\nX=three\n",
	})
	r := loadIn(dir, "services.yaml")
	if r.Spec == nil {
		t.Fatal(r.Problems.Error())
	}
	a := r.Spec.Services[0]
	for name, want := range map[string]string{"A": "one", "R": "root", "D": "one", "S": "own", "X": "three"} {
		if a.Env[name] == nil || *a.Env[name] != want {
			t.Errorf("%s is %v, want %s", name, a.Env[name], want)
		}
	}
	if a.EnvFromFile["S"] || a.EnvFromFile["R"] || !a.EnvFromFile["X"] {
		t.Errorf("from a file: %v", a.EnvFromFile)
	}
	if len(r.Inputs) != 4 {
		t.Errorf("%+v", r.Inputs)
	}
	if !strings.Contains(r.Warnings.Error(), `two.env:2: "X" is given twice; the first is in line 1`) {
		t.Errorf("warnings: %v", r.Warnings)
	}
}

// TestEnvOfWindowsIgnoresCase: Path and PATH are one variable there.
func TestEnvOfWindowsIgnoresCase(t *testing.T) {
	const text = "env: {Path: a}\nservices: {a: {command: x, env: {PATH: b}}}"
	if env := mustLoad(t, text, on("windows")).Services[0].Env; len(env) != 1 || *env["PATH"] != "b" {
		t.Errorf("%v", env)
	}
	if env := mustLoad(t, text).Services[0].Env; len(env) != 2 {
		t.Errorf("%v", env)
	}
}

func FuzzEnvFile(f *testing.F) {
	for _, s := range []string{"A=1\n", "export A='x'\r\n", "A=\"x\ny\"\n", "A=\"\\", "=\n", "A='"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entries, problems := parseEnvFile(text)
		lines := strings.Count(text, "\n") + 1
		for _, e := range entries {
			if e.name == "" || e.line < 1 || e.line > lines {
				t.Errorf("%+v", e)
			}
		}
		for _, p := range problems {
			if p.line < 1 || p.line > lines || p.message == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.yaml")
	for _, n := range names {
		if text, err := os.ReadFile(n); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte("services: {a: {command: x, env_file: ['.'], stop: {steps: [{exec: [a]}]}, instances: 1000, port: auto}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "services.yaml")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, platform := range []string{"linux", "windows"} {
			begin := time.Now()
			r := Load(Options{Files: []string{path}, Platform: platform, LookupEnv: noEnv})
			if took := time.Since(begin); took > 10*time.Second {
				t.Fatalf("took %v", took)
			}
			if (r.Spec == nil) == (len(r.Problems) == 0) {
				t.Fatalf("spec %v, problems %v", r.Spec != nil, r.Problems)
			}
			if r.Spec != nil && r.Spec.Hash == "" {
				t.Fatal("no hash")
			}
			for _, p := range r.Problems {
				if p.Message == "" || p.File == "" || strings.ContainsAny(p.Message, "\n\r") {
					t.Fatalf("%+v", p)
				}
			}
		}
	})
}
