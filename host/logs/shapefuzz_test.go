package logs

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"servicehost/spec"
)

// FuzzShaper shapes a stream twice, cut in two ways: both files are the same, and each line is a record.
func FuzzShaper(f *testing.F) {
	f.Add([]byte(trace), uint16(3), uint8(0))
	f.Add([]byte("\x1b[1mbold\x1b]0;t\x07\n\x1b\n\x1b[\xff"), uint16(1), uint8(7))
	f.Add([]byte(strings.Repeat("\u4e2d", 50)+"\r\n\r\r\n"), uint16(2), uint8(255))
	f.Fuzz(func(t *testing.T, in []byte, cut uint16, wish uint8) {
		cfg := spec.Log{
			Format: []spec.LogFormat{spec.FormatRaw, spec.FormatText, spec.FormatJSON, spec.FormatJSON}[wish&3],
			ANSI:   []spec.ANSI{spec.ANSIKeep, spec.ANSIStrip}[wish>>2&1], Multiline: []string{"", `^\s`, `x`, `$`}[wish>>3&3],
			MaxLine: []int64{0, 64}[wish>>5&1], Rate: []float64{0, 2}[wish>>6&1],
		}
		one := fuzzed(t, cfg, in)
		n := min(int(cut), len(in))
		var pieces [][]byte
		for i := range n {
			pieces = append(pieces, in[i:i+1])
		}
		if many := fuzzed(t, cfg, append(pieces, in[n:])...); many != one {
			t.Fatalf("%+v: at once\n%q\nin %d pieces\n%q", cfg, one, len(pieces)+1, many)
		}
		if strings.Contains(one, "\x1b") && cfg.ANSI == spec.ANSIStrip {
			t.Fatalf("%+v left an escape in %q", cfg, one)
		}
		if wish&0x7f == 0 && one != string(in) {
			t.Fatalf("raw changed to %q", one)
		}
		for line := range strings.Lines(one) {
			switch cfg.Format {
			case spec.FormatJSON:
				var r struct{ Time, Service, Stream, Line string }
				if err := json.Unmarshal([]byte(line), &r); err != nil || !utf8.ValidString(line) || !strings.HasSuffix(line, "}\n") {
					t.Fatalf("%q is no record: %v", line, err)
				}
				if len(r.Line) > 64+30 && cfg.MaxLine == 64 && r.Stream != streamHost && utf8.Valid(in) {
					t.Fatalf("%q is too long", r.Line)
				}
			case spec.FormatText:
				if _, err := time.Parse(stampForm, line[:len(stampForm)]); err != nil || !strings.HasSuffix(line, "\n") {
					t.Fatalf("%q has no time: %v", line, err)
				}
			}
		}
	})
}

// fuzzed is what is in the file.
func fuzzed(t *testing.T, cfg spec.Log, chunks ...[]byte) string {
	t.Helper()
	cfg.Path = logPath(t)
	synctest.Test(t, func(t *testing.T) { // in which no time passes
		s := newSet(Options{}, realFiles, testTiming)
		s.timing.first = time.Hour
		defer s.Close()
		p := s.Pipeline("api", cfg)
		defer p.Close()
		in := &input{p: p}
		for _, c := range chunks {
			if len(c) > 0 {
				in.take(c)
			}
		}
		in.end()
	})
	return contentOrNone(cfg.Path)
}
