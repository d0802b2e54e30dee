package eventlog

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestViewerGetsTextKindAndService(t *testing.T) {
	r := newRecord(byKind["backoff"], Event{Service: "api.1", Reason: "exit 3", Lines: []string{"one", "two"}})
	want := []string{"Service \"api.1\" is down and will be started again: exit 3\r\n\r\nLast output:\r\none\r\ntwo", "backoff", "api.1"}
	if got := viewerStrings(r); !slices.Equal(got, want) {
		t.Errorf("strings are %q, want %q", got, want)
	}
	for s, want := range map[Severity]uint16{Info: 4, Warning: 2, Error: 1} {
		if got := viewerType(s); got != want {
			t.Errorf("type of %s is %d, want %d", s, got, want)
		}
	}
}

func TestInertTextIsNotExpanded(t *testing.T) {
	for text, want := range map[string]string{
		"100% sure":   "100% sure",
		"%1 fe80::%3": "% 1 fe80::% 3",
		"%%123":       "% % 123",
		"%{S-1-5-18}": "% {S-1-5-18}",
		"50%":         "50%",
		"a\x00%\x00b": "a%b",
		"%n %s":       "%n %s",
		"\x00":        "",
		"\u670d%1":    "\u670d% 1",
	} {
		if got := inert(text); got != want {
			t.Errorf("inert(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestUnitsCountsPairsTwice(t *testing.T) {
	fire := "\U0001F525"
	if got := units(strings.Repeat(fire, 5), 5); got != fire+fire {
		t.Errorf("5 units hold %q", got)
	}
	if got := units("abc", 3); got != "abc" {
		t.Errorf("3 units hold %q", got)
	}
	long := units(strings.Repeat("\u670d", 40000), maxUnits)
	if n := len(utf16.Encode([]rune(long))); n != maxUnits {
		t.Errorf("%d units, want %d", n, maxUnits)
	}
}
