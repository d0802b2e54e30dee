package spec

import (
	"fmt"
	"strings"
	"testing"
)

func TestVariablesAreLookedUpInTheOrderOfTheDesign(t *testing.T) {
	env := map[string]string{"A": "os", "HOST_VAR_A": "hostvar", "B": "os", "HOST_VAR_B": "hostvar", "C": "os", "D": "os", "PORT": "os", "HOST_NAME": "os"}
	s := mustLoad(t, `
host: {name: me}
vars: {A: file, B: file, C: file}
services: {a: {command: 'x ${A} ${B} ${C} ${D} ${PORT} ${HOST_NAME} ${HOST_SERVICE} ${HOST_EXE}', port: 80, env: {X: inner}, args: ['${X:-none}']}, b: {command: 'x ${PORT}'}}
`, func(o *Options) {
		o.Set = map[string]string{"A": "set"}
		o.LookupEnv = func(n string) (string, bool) { v, ok := env[n]; return v, ok }
		o.Exe = "/opt/host"
	})
	if got := strings.Join(service(t, s, "a").Command, " "); got != "x set hostvar file os 80 me a /opt/host none" {
		t.Error(got)
	}
	if got := service(t, s, "b").Command[1]; got != "os" {
		t.Errorf("PORT without a port: %q", got)
	}
}

func TestVariablesForms(t *testing.T) {
	for text, want := range map[string]string{
		"a$b":                    "a$b",
		"$${A}":                  "${A}",
		"$$${A}":                 "$${A}",
		"$A $$ $":                "$A $$ $",
		"${A}":                   "1",
		"x${A}y${A}":             "x1y1",
		"${A:-d}":                "1",
		"${NO:-d}":               "d",
		"${NO:-}":                "",
		"${EMPTY:-d}":            "d",
		"${EMPTY}":               "",
		"${NO:-a b:c}":           "a b:c",
		"${NO:-${A}}":            "1",
		"${NO:-${NO2:-x}}z":      "xz",
		"${A:?msg}":              "1",
		"${ProgramFiles(x86)}/a": "pf/a",
		"${DEEP}":                "1-1",
		"${SERVICE}":             "svc.log",
		"100% }{ ${A}":           "100% }{ 1",
	} {
		l := newLoader(Options{LookupEnv: func(n string) (string, bool) {
			v, ok := map[string]string{"A": "1", "EMPTY": "", "ProgramFiles(x86)": "pf"}[n]
			return v, ok
		}})
		l.vars = map[string]*variable{"DEEP": {node: &node{value: "${MID}-${MID}"}}, "MID": {node: &node{value: "${A}"}}, "SERVICE": {node: &node{value: "${HOST_SERVICE}.log"}}}
		sc := &scope{l: l, own: map[string]string{"HOST_SERVICE": "svc"}}
		if got, err := sc.expand(text); err != nil || got != want {
			t.Errorf("%s gives %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestVariablesOfOneServiceAreNotKeptForTheNext(t *testing.T) {
	s := mustLoad(t, "vars: {LOG: 'logs/${HOST_SERVICE}', BOTH: '${LOG}.log'}\ndefaults: {log: {path: '${BOTH}'}}\nservices: {a: {command: a}, b: {command: b}}")
	for _, id := range []string{"a", "b"} {
		if got := service(t, s, id).Log.Path; got != s.Dir+"/logs/"+id+".log" {
			t.Error(got)
		}
	}
}

// TestVariablesCannotChangeTheStructure: a value with blanks stays one argument, and no value is YAML.
func TestVariablesCannotChangeTheStructure(t *testing.T) {
	s := mustLoad(t, "vars: {V: 'a \"b\" c: [d]'}\nservices: {a: {command: 'x ${V} ${NO:-1 2}', env: {E: '${V}'}}}")
	a := s.Services[0]
	if len(a.Command) != 3 || a.Command[1] != `a "b" c: [d]` || a.Command[2] != "1 2" || *a.Env["E"] != a.Command[1] {
		t.Errorf("%q", a.Command)
	}
}

// TestVariablesThatGrowAreRefused: each of these would be gigabytes, or take years.
func TestVariablesThatGrowAreRefused(t *testing.T) {
	var double, empty strings.Builder
	double.WriteString("vars:\n  V0: xxxxxxxxxx\n")
	empty.WriteString("vars:\n  V0: '${PORT:-}'\n")
	for i := range 30 {
		line := fmt.Sprintf("  V%d: '${V%d}${V%d}'\n", i+1, i, i)
		double.WriteString(line)
		empty.WriteString(line)
	}
	use := "services: {a: {command: 'x ${V30}'}}\n"
	refused(t, loadText(t, double.String()+use), "is longer than 64 KiB")
	refused(t, loadText(t, empty.String()+use), "needs more than 10000 variables")
	long := "services: {a: {command: '" + strings.Repeat("${A:-", 100) + strings.Repeat("}", 100) + "'}}"
	refused(t, loadText(t, long), "nested more than 32 deep")
}

func FuzzVariables(f *testing.F) {
	for _, s := range []string{"${A}", "${A:-${B:-x}}", "$${", "${", "${A:?m}", "a${A}b$${c}", "${V}", "${W}", "${A:-", "${:-}", "${A:}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := newLoader(Options{LookupEnv: func(n string) (string, bool) { return "v", n == "A" }})
		l.vars = map[string]*variable{"V": {node: &node{value: text}}, "W": {node: &node{value: "${V}${V}"}}}
		sc := &scope{l: l, own: map[string]string{"PORT": AutoPort}}
		got, err := sc.expand(text)
		if err == nil && !strings.Contains(text, "${") && got != text {
			t.Errorf("%q became %q", text, got)
		}
		if len(got) > maxExpansion {
			t.Errorf("%d bytes came out", len(got))
		}
	})
}

func FuzzSplitCommand(f *testing.F) {
	for _, s := range []string{`a "b c" d`, `C:\x\y.exe -a`, `"" ''`, `a"b"c`, `${A:-x y} $${ "`, "a\tb\nc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args, err := splitCommand(text)
		if err != nil {
			return
		}
		joined := strings.Join(args, "")
		if len(joined) > len(text) {
			t.Errorf("%q became %q", text, args)
		}
		if !strings.ContainsAny(text, `"$`) {
			if fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }); strings.Join(fields, "\x00") != strings.Join(args, "\x00") {
				t.Errorf("%q became %q, want %q", text, args, fields)
			}
		}
	})
}

func TestSplitCommand(t *testing.T) {
	for text, want := range map[string]string{
		`a b  c`:                     "a|b|c",
		` "a b" c`:                   "a b|c",
		`a"b c"d ""`:                 "ab cd|",
		`C:\a\b.exe --x="C:\p q" \\`: `C:\a\b.exe|--x=C:\p q|\\`,
		`'a b'`:                      "'a|b'",
		`${A:-x "y} z`:               `${A:-x "y}|z`,
		"":                           "",
		"a\n  b\n":                   "a|b",
	} {
		got, err := splitCommand(text)
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%q gives %q, %v", text, got, err)
		}
	}
	if _, err := splitCommand(`a "b`); err == nil {
		t.Error("an open quote was accepted")
	}
}

func TestPortOfVarsYieldsToThatOfTheService(t *testing.T) {
	s := mustLoad(t, "vars: {PORT: 5}\nservices: {a: {command: 'x ${PORT}'}, b: {command: 'x ${PORT}', port: 80}}")
	if a, b := service(t, s, "a").Command[1], service(t, s, "b").Command[1]; a != "5" || b != "80" {
		t.Errorf("PORT is %q without a port, and %q with one", a, b)
	}
}
