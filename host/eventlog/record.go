package eventlog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"servicehost/host/human"
)

// What one event may hold. The limit of Windows is 31,839 UTF-16 units for one string:
// https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-reporteventw
const (
	maxReason = 4 << 10
	maxLines  = 20
	maxOutput = 4 << 10
)

// record is an event ready to be written.
type record struct {
	kind    *Kind
	service string
	text    string   // one line
	output  []string // the last lines of what ended
}

func newRecord(k *Kind, e Event) record {
	r := record{kind: k, service: human.Plain(e.Service), output: lastOf(e.Lines)}
	quoted, subject, by := `"`+r.service+`"`, "", ""
	if r.service != "" {
		subject = "service " + quoted + ": "
	}
	if e.Actor != "" {
		by = " (" + cut(plainLines(e.Actor), 200) + ")"
	}
	r.text = strings.NewReplacer("{service}", quoted, "{subject}", subject, "{by}", by, "{reason}", cut(plainLines(e.Reason), maxReason)).Replace(k.Text)
	r.text = strings.TrimRight(strings.TrimSpace(r.text), ":,")
	return r
}

// full is the whole message, the lines ended by eol.
func (r record) full(eol string) string {
	if len(r.output) == 0 {
		return r.text
	}
	return r.text + eol + eol + "Last output:" + eol + strings.Join(r.output, eol)
}

// plainLines is text in one line.
func plainLines(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(human.Plain(line)); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// lastOf keeps of foreign output the last lines that fit.
func lastOf(lines []string) []string {
	var out []string
	room := maxOutput
	for n := len(lines) - 1; n >= 0 && len(out) < maxLines; n-- {
		line := human.Plain(lines[n])
		if line == "" {
			continue
		}
		line = cut(line, min(room, maxOutput/2))
		if room -= len(line); room < 0 {
			break
		}
		out = append(out, line)
		if room < 16 {
			break
		}
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
	return out
}

// cut shortens a text to n bytes, at the border of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(0, n-len("…"))
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// MessageID is the MESSAGE_ID under which journald knows events of a kind: made of its number, so that it
// is the same everywhere and always.
func (k *Kind) MessageID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "servicehost event %d", k.ID))
	sum[6] = sum[6]&0x0f | 0x80 // a UUID of version 8, https://www.rfc-editor.org/rfc/rfc9562
	sum[8] = sum[8]&0x3f | 0x80
	return hex.EncodeToString(sum[:16])
}
