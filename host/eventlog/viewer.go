package eventlog

import (
	"strings"
	"unicode/utf16"
)

// Types of events of Windows.
const (
	typeError       = 0x1
	typeWarning     = 0x2
	typeInformation = 0x4
)

// maxUnits is how many UTF-16 units one string of an event may have.
const maxUnits = 31839

func viewerType(s Severity) uint16 {
	return [...]uint16{Info: typeInformation, Warning: typeWarning, Error: typeError}[s]
}

// viewerStrings are the strings of an event: the text that the message of EventCreate.exe, which is %1, shows;
// then, for queries, the kind and the service.
func viewerStrings(r record) []string {
	return []string{units(inert(r.full("\r\n")), maxUnits), r.kind.Name, inert(r.service)}
}

// inert keeps a text from being expanded: the viewer looks for insertion codes in what it inserted, too, and
// knows no escape: https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-even/d76e867d-96dc-4c09-b747-b1dde1acc5a4
func inert(s string) string {
	if !strings.Contains(s, "%") {
		return strings.ReplaceAll(s, "\x00", "")
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] == 0 {
			continue
		}
		b.WriteByte(s[i])
		if s[i] == '%' && i+1 < len(s) && (s[i+1] >= '0' && s[i+1] <= '9' || s[i+1] == '%' || s[i+1] == '{') {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// units cuts a text to n UTF-16 units.
func units(s string, n int) string {
	if len(s) <= n { // no character has more units than bytes
		return s
	}
	for i, r := range s {
		if n -= utf16.RuneLen(r); n < 0 {
			return s[:i]
		}
	}
	return s
}
