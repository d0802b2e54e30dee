package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

func TestStatusTextIsATable(t *testing.T) {
	a := &app{now: func() time.Time { return now }}
	want := `orders-01  services.yaml applied 3m ago, commit 1f2e3d4 "raise api memory"      4 services, 3 as desired
  SERVICE  STATE    HEALTH    PID  AGE  RESTARTS   CPU     MEM  REASON
● api.1    running  healthy  4711   3m         0  1.2%  84 MiB
● api.2    running  healthy  4715   3m         0  0.9%  81 MiB
○ batch    stopped  -           -   2h         0     -       -  stopped by ops\li.wei
` + "✗ \u5de5\u4f5c\u8005   backoff  -           -  12s         4     -       -  exit 3 after 1.2s, next try in 8s: \"cannot open db\"\n"
	if got := a.statusText(orders(), false, 0); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStatusTextFitsTheScreen(t *testing.T) {
	a := &app{now: func() time.Time { return now }}
	for _, width := range []int{60, 80, 100, 200} {
		for i, row := range strings.Split(a.statusText(orders(), false, width), "\n") {
			if i > 0 && width >= 80 && textWidth(row) > width {
				t.Errorf("for %d columns a row has %d: %s", width, textWidth(row), row)
			}
		}
	}
	if got := a.statusText(orders(), false, 80); !strings.Contains(got, "exit 3 after 1.…\n") {
		t.Errorf("nothing was cut:\n%s", got)
	}
}

func TestStatusTextShowsWhatIsWrong(t *testing.T) {
	a := &app{now: func() time.Time { return now }}
	s := orders()
	s.Host.Paused = true
	s.Host.Spec.State = control.SpecRejected
	s.Host.Spec.Problems = []spec.Problem{{File: "/srv/orders/services.yaml", Line: 12, Column: 7, Path: "services.api.restart.dleay", Message: "unknown key", Hint: `did you mean "delay"?`}}
	later := now.Add(time.Hour)
	s.Services[2].DesiredUntil = &later
	s.Services[0].Spec.State = "rolled_back"
	got := a.statusText(s, true, 0)
	for _, want := range []string{
		"rejected (1 problem), running what was applied 3m ago", "3 as desired, paused",
		`/srv/orders/services.yaml:12:7: services.api.restart.dleay: unknown key; did you mean "delay"?`,
		"stopped by ops\\li.wei, until " + later.Local().Format("15:04"), "rolled back",
		"last lines of \u5de5\u4f5c\u8005:\n  opening [31mdb\n  cannot open db\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	states := map[control.SpecState]string{
		control.SpecPending: "pending, running what was applied", control.SpecRolledBack: "rolled back in part",
		control.SpecLastGood: "running the last good one",
	}
	for state, want := range states {
		s.Host.Spec.State = state
		if got := a.statusText(s, false, 0); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", state, want, got)
		}
	}
	s.Host.Spec.State, s.Host.Spec.Reason = control.SpecPending, "host.reload.mode is manual"
	if got := a.statusText(s, false, 0); !strings.Contains(got, "mode is manual; see host plan, then host reload --confirm\n") {
		t.Errorf("a held edit is shown without what to do:\n%s", got)
	}
}

func TestReasonSaysTheTimeThatIsLeft(t *testing.T) {
	next := now.Add(3 * time.Second)
	for reason, want := range map[string]string{
		`exit 3 after 1.2s, next try in 8s: "x"`:                          `exit 3 after 1.2s, next try in 3s: "x"`,
		"crash loop: 3 restarts in 1m (last: exit 3); tried again in 10m": "crash loop: 3 restarts in 1m (last: exit 3); tried again in 3s",
		"exit 0 after 4ms, next start in 1m3s":                            "exit 0 after 4ms, next start in 3s",
		"next run at 2026-11-21 09:02:06":                                 "next run at 2026-11-21 09:02:06, in 3s",
		"going back to the spec that worked":                              "going back to the spec that worked, next try in 3s",
	} {
		if got := reasonOf(control.ServiceStatus{Reason: reason, NextRun: &next}, now); got != want {
			t.Errorf("%q is shown as %q, want %q", reason, got, want)
		}
	}
}

func TestReasonSaysWhatProbesAndProgramSay(t *testing.T) {
	s := control.ServiceStatus{State: "running", Health: "unhealthy", HealthReason: "tcp 127.0.0.1:1: connection refused", StatusText: "loading\nindex"}
	if got, want := reasonOf(s, now), "tcp 127.0.0.1:1: connection refused, it says: loading index"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Health = "healthy"
	if got, want := reasonOf(s, now), "it says: loading index"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.State, s.Reason = "stopped", "stopped by lei"
	if got := reasonOf(s, now); got != s.Reason {
		t.Errorf("a stopped one is shown as %q", got)
	}
}

func TestStatusColoursDoNotMoveColumns(t *testing.T) {
	a := &app{now: func() time.Time { return now }}
	plain := a.statusText(orders(), false, 0)
	a.out.color = true
	coloured := a.statusText(orders(), false, 0)
	if !strings.Contains(coloured, "\x1b[31m✗\x1b[0m") {
		t.Errorf("no red mark in %q", coloured)
	}
	stripped := coloured
	for _, code := range []string{red, green, yellow, bold, dim, "0"} {
		stripped = strings.ReplaceAll(stripped, "\x1b["+code+"m", "")
	}
	if stripped != plain {
		t.Errorf("without colours\n%s\nwant\n%s", stripped, plain)
	}
	a.noColor = true
	if got := a.statusText(orders(), false, 0); got != plain {
		t.Error("--no-color has colours")
	}
}

func TestCleanTakesWhatMovesTheCursor(t *testing.T) {
	tests := map[string]string{
		"plain":                        "plain",
		"a\tb\nc":                      "a b c",
		"\x1b]0;title\x07x":            "]0;titlex",
		"\x9b2Jx":                      "\uFFFD2Jx",
		"\u009b2Jx":                    "2Jx",
		"a\u202eb":                     "ab",
		"\xff":                         "\uFFFD",
		"\u4f60\u597d\u00e9\U0001f600": "\u4f60\u597d\u00e9\U0001f600",
	}
	for in, want := range tests {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestOnlyColorsKeepsColours(t *testing.T) {
	tests := map[string]string{
		"plain \u4f60":                "plain \u4f60",
		"\x1b[31mred\x1b[0m":          "\x1b[31mred\x1b[0m",
		"\x1b[38;5;1m\x1b[38:2::1mx":  "\x1b[38;5;1m\x1b[38:2::1mx",
		"\x1b[2Jx\x1b[Hy":             "xy",
		"\x1b]0;title\x07x":           "x",
		"\x1b]8;;http://x\x1b\\link":  "link",
		"\x1b]52;c;broken\x1b[31mred": "\x1b[31mred",
		"\x1b(Bx\x1bcy\x1b":           "xy",
		"\x1b[?25lx\x1b[>1mz":         "xz",
		"a\rb\x08\x07\tc":             "ab\tc",
		"\x1b[12":                     "",
		"\x1b[1\nm":                   "m",
		"\u009b2Jx":                   "2Jx",
	}
	for in, want := range tests {
		if got := onlyColors(in); got != want {
			t.Errorf("onlyColors(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzOnlyColorsLeavesNothingElse(f *testing.F) {
	f.Add("\x1b[31mred\x1b[0m\x1b]0;x\x07")
	f.Fuzz(func(t *testing.T, s string) {
		got := onlyColors(s)
		for rest := got; rest != ""; {
			i := strings.IndexByte(rest, 0x1b)
			if i < 0 {
				break
			}
			n, color := sequence(rest[i:])
			if !color {
				t.Fatalf("%q became %q", s, got)
			}
			rest = rest[i+n:]
		}
	})
}

func TestCutAndWidthCountColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "\u4f60\u597d": 4, "e\u0301": 1, "\u200b": 0, "\uff21": 2} {
		if got := textWidth(s); got != want {
			t.Errorf("textWidth(%q) = %d, want %d", s, got, want)
		}
	}
	tests := []struct {
		in      string
		columns int
		want    string
	}{{"abcdef", 6, "abcdef"}, {"abcdef", 4, "abc…"}, {"\u4f60\u597d\u4f60\u597d", 4, "\u4f60…"}, {"ab cd", 4, "ab…"}, {"abc", 0, ""}, {"abc", 1, "…"}}
	for _, tt := range tests {
		if got := cut(tt.in, tt.columns); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.in, tt.columns, got, tt.want)
		}
	}
}

func TestAgesAndSizes(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 59 * time.Second: "59s", 3 * time.Minute: "3m", 2 * time.Hour: "2h", 47 * time.Hour: "47h", 5 * 24 * time.Hour: "5d", -8 * time.Second: "8s"} {
		if got := age(d); got != want {
			t.Errorf("age(%s) = %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int64]string{12: "12 B", 4 << 10: "4 KiB", 84 << 20: "84 MiB", 12 << 30: "12 GiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestMomentReadsTimes(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	tests := []struct {
		text string
		back bool
		want time.Time
	}{
		{"2h", false, noon.Add(2 * time.Hour)},
		{"2h", true, noon.Add(-2 * time.Hour)},
		{"1d", true, noon.Add(-24 * time.Hour)},
		{"17:30", false, time.Date(2026, 3, 1, 17, 30, 0, 0, time.Local)},
		{"08:30", false, time.Date(2026, 3, 2, 8, 30, 0, 0, time.Local)},
		{"17:30", true, time.Date(2026, 2, 28, 17, 30, 0, 0, time.Local)},
		{"2026-01-02", true, time.Date(2026, 1, 2, 0, 0, 0, 0, time.Local)},
		{"2026-01-02T15:04:05", true, time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)},
		{"2026-01-02T15:04:05Z", true, time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)},
	}
	for _, tt := range tests {
		m := moment{back: tt.back, now: func() time.Time { return noon }}
		if err := m.Set(tt.text); err != nil || !m.at.Equal(tt.want) {
			t.Errorf("%s: %s, %v; want %s", tt.text, m.at, err, tt.want)
		}
	}
}

func TestAnnotationsEscape(t *testing.T) {
	var b bytes.Buffer
	writeAnnotations(&b, "error", []spec.Problem{{File: "a,b:c%.yaml", Line: 3, Path: "x", Message: "50% of\nall", Hint: "less"}})
	if want := "::error file=a%2Cb%3Ac%25.yaml,line=3::x: 50%25 of%0Aall; less\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestEventColoursWarn(t *testing.T) {
	for _, e := range []journal.Event{{Kind: journal.Failed}, {Kind: journal.StateChanged, To: "failed"}, {Kind: journal.ReloadRejected}} {
		if got := eventColor(e); got != red {
			t.Errorf("%+v is shown in %q", e, got)
		}
	}
}

func TestNearestName(t *testing.T) {
	for in, want := range map[string]string{"apo": "api", "workr": "worker", "zzzzzz": "", "API": "api"} {
		if got := nearest(in, []string{"api", "worker", "batch"}); got != want {
			t.Errorf("nearest(%q) = %q, want %q", in, got, want)
		}
	}
}
