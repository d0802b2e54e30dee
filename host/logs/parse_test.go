package logs

import (
	"bytes"
	"testing"
	"time"
	"unicode/utf8"

	"servicehost/spec"
)

// FuzzParseLine: what a layout writes is read back, and nothing else is taken for it by accident.
func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"", "plain", "a \"b\" \\ \x1b[31m\u4f60\U0001F600", " | ", `"}`, "\x00\x7f", "{", "2026-11-21T09:02:03.123Z stdout api | x"} {
		f.Add([]byte(s), int64(1_700_000_000_123))
	}
	f.Fuzz(func(t *testing.T, text []byte, ms int64) {
		parseLine(text)
		at := time.UnixMilli(ms)
		if y := at.UTC().Year(); y < 0 || y > 9999 {
			return
		}
		for _, format := range []spec.LogFormat{spec.FormatText, spec.FormatJSON} {
			if format == spec.FormatText && bytes.ContainsAny(text, "\n") || format == spec.FormatJSON && !utf8.Valid(text) {
				continue
			}
			line := newLayout(format, "api.2", streamErr, true).append(nil, at, text)
			p, ok := parseLine(line[:len(line)-1])
			if !ok || p.at != ms || p.stream != streamErr || !bytes.Equal(p.text, text) {
				t.Fatalf("%s: %q is read as %+v, %v", format, line, p, ok)
			}
		}
	})
}
