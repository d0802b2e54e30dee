package spec

import (
	"slices"
	"strings"
	"testing"
)

func TestStartOrderGroupsByDependency(t *testing.T) {
	s := mustLoad(t, `
services:
  web: {command: x, depends_on: [api, cache], instances: 2}
  api: {command: x, depends_on: [db]}
  db: {command: x}
  cache: {command: x}
  job: {command: x, type: oneshot, depends_on: {db: {condition: started}}}
`)
	var got []string
	for _, level := range StartOrder(s.Services) {
		var ids []string
		for _, svc := range level {
			ids = append(ids, svc.ID)
		}
		got = append(got, strings.Join(ids, " "))
	}
	if want := []string{"cache db", "api job", "web.1 web.2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if levels := StartOrder([]*Service{service(t, s, "api"), service(t, s, "web.1")}); len(levels) != 2 {
		t.Errorf("a part of them has %d levels", len(levels))
	}
	if StartOrder(nil) != nil {
		t.Error("levels of nothing")
	}
}

func TestStartOrderEndsOnACircle(t *testing.T) {
	a := &Service{Name: "a", DependsOn: map[string]Dependency{"b": {}}}
	b := &Service{Name: "b", DependsOn: map[string]Dependency{"a": {}}}
	n := 0
	for _, level := range StartOrder([]*Service{a, b}) {
		n += len(level)
	}
	if n != 2 {
		t.Errorf("%d services came out", n)
	}
}

func TestCyclesAreFoundEach(t *testing.T) {
	got := findCycles(map[string][]string{"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}, "e": {"a"}})
	var lines []string
	for _, c := range got {
		lines = append(lines, joinCycle(c))
	}
	if want := []string{"a → b → a", "c → d → c"}; !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
}

// TestPathsOfBothStyles: a spec for Windows is checked on Linux too, so filepath can't be used.
func TestPathsOfBothStyles(t *testing.T) {
	unix, windows := pathStyle{}, pathStyle{windows: true}
	for _, c := range []struct {
		style           pathStyle
		dir, path, want string
	}{
		{unix, "/srv", "a/b", "/srv/a/b"},
		{unix, "/srv", "../a/./b//c", "/a/b/c"},
		{unix, "/srv", "/x/../..", "/"},
		{unix, "/srv", `a\b`, `/srv/a\b`},
		{unix, "/srv", ".", "/srv"},
		{windows, `C:\srv`, `logs\a.log`, `C:\srv\logs\a.log`},
		{windows, `C:\srv`, `logs/a.log`, `C:\srv\logs\a.log`},
		{windows, `C:\srv`, `..\..\..\x`, `C:\x`},
		{windows, `C:\srv`, `D:/x/../y`, `D:\y`},
		{windows, `C:\srv`, `\x`, `C:\x`},
		{windows, `C:\srv`, `\\server\share\..\x`, `\\server\share\x`},
		{windows, `C:\srv`, `\\?\C:\x\..`, `\\?\C:\x\..`},
		{windows, "/home/me", `a\b`, `\home\me\a\b`},
	} {
		if got := c.style.abs(c.dir, c.path); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.path, c.dir, got, c.want)
		}
	}
	if !unix.isAbs("/a") || unix.isAbs(`C:\a`) || !windows.isAbs(`c:/a`) || windows.isAbs(`a\b`) || windows.isAbs("c:a") {
		t.Error("isAbs is wrong")
	}
}

// TestWindowsSpecIsCheckedAnywhere loads a spec of Windows on whatever this is.
func TestWindowsSpecIsCheckedAnywhere(t *testing.T) {
	s := mustLoad(t, `
host: {state_dir: 'E:\state'}
vars: {ROOT: 'D:\订单'}
services:
  a:
    command: '"${ROOT}\my app\a.exe" --dir C:\temp\new'
    dir: ${ROOT}\my app
    raw_args: /x "y"
    env_file: ['?C:\etc\a.env']
    log: {path: 'logs\a.log'}
`, on("windows"))
	a := s.Services[0]
	if !slices.Equal(a.Command, []string{`D:\订单\my app\a.exe`, "--dir", `C:\temp\new`}) || a.Dir != `D:\订单\my app` || a.RawArgs != `/x "y"` || a.CommandDir != "" {
		t.Errorf("%+v", a)
	}
	if !strings.HasSuffix(a.Log.Path, `\logs\a.log`) || strings.Contains(a.Log.Path, "/") {
		t.Error(a.Log.Path)
	}
	if s.Host.Logs.Dir != `E:\state\logs` {
		t.Error(s.Host.Logs.Dir)
	}
}

func TestDurationsAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{"0": "0s", "500ms": "500ms", "90s": "1m30s", "1h30m": "1h30m", "7d": "7d", "1.5h": "1h30m", "36h": "1d12h", "0s": "0s"} {
		d, err := ParseDuration(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := FormatDuration(d); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
		if again, err := ParseDuration(want); err != nil || again != d {
			t.Errorf("%s does not come back: %v, %v", want, again, err)
		}
	}
	for _, text := range []string{"", "10", "-1s", "1m1h", "1s1s", "1y", "s", "1 s", "1e3s", "20000000h", "1..s", ".s"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is taken for %v", text, d)
		}
	}
}

func TestSizesAreRead(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "10MiB": 10 << 20, "10MB": 10e6, "64kib": 64 << 10, "1.5 GiB": 3 << 29, "7B": 7} {
		if n, err := ParseSize(text); err != nil || n != want {
			t.Errorf("%s is %d, %v", text, n, err)
		}
	}
	for _, text := range []string{"", "10", "10M", "-1MB", "x", "99999999TiB", "1XB", "MiB"} {
		if n, err := ParseSize(text); err == nil {
			t.Errorf("%q is taken for %d", text, n)
		}
	}
}
