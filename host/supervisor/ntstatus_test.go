package supervisor

import (
	"strings"
	"testing"
)

func TestExitCodesOfTheSystemHaveNames(t *testing.T) {
	for code, want := range map[int]string{
		0: "0", 3: "3", 1066: "1066",
		0xC0000005:  "0xC0000005 (STATUS_ACCESS_VIOLATION: it used memory that is not its own)",
		-1073741819: "0xC0000005 (STATUS_ACCESS_VIOLATION: it used memory that is not its own)",
		0xC000013A:  "0xC000013A (STATUS_CONTROL_C_EXIT: ended by Ctrl-C)",
		0xE0434352:  "0xE0434352 (an unhandled .NET exception)",
		0xC0001234:  "0xC0001234",
		0xFFFFFFFF:  "0xFFFFFFFF",
	} {
		if got := statusText(code); got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
	for code, name := range ntstatus {
		if strings.TrimSpace(name) == "" || strings.ContainsAny(name, "()\n") {
			t.Errorf("%#x has the name %q", code, name)
		}
	}
}

func TestStatusNameIsTheOneOfTheSystem(t *testing.T) {
	for code, want := range map[int]string{0: "", 3: "", 0xC0000005: "STATUS_ACCESS_VIOLATION", 0xC000013A: "STATUS_CONTROL_C_EXIT", 0xE0434352: "", 0xC0001234: ""} {
		if got := statusName(code); got != want {
			t.Errorf("%#x is %q, want %q", code, got, want)
		}
	}
}
