package logs

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

func TestMatcherAgreesWithTheExpression(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	lines := []string{"", " ", "\t", "at", "\tat x", "Caused by: x", "caused", "}", "]", "2026-11-21 x", "[info]", "x", "xx", "\u4e2d", "\u00e9", "\xff", "\xff x", "a\u4e2d"}
	for range 300 {
		b := make([]byte, 1+r.IntN(6))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		lines = append(lines, string(b))
	}
	for _, pattern := range []string{
		`^\s`, `^\s+`, `^\s*`, `^\s*$`, `^(\s|Caused by:)`, `^\s|^Caused`, `^(?:\s+at |\s*\.\.\. )`, `^[^0-9\[]`, `^.`, `.`, `^`, `$`, `x`, `^x`, `^(?i)CAUSED`,
		`^\S`, `^[\]}]$`, `^(?:\t|$)`, `(?m)^\s`, `^\x{4e2d}`, `^[\x{e9}a]`, `^(a|b)?c`, `^()x`, `^(x|)y`, `^[^\x00-\x7f]`, `^\pL+`, `^(?:a|\s+|\d{4})`, `(^a)b`, `^(x+)`, `^(x+)+$`, `\A\s`, `^\b`,
	} {
		re := regexp.MustCompile(pattern)
		m := NewMatcher(re)
		for _, line := range lines {
			if got, want := m.Match([]byte(line)), re.MatchString(line); got != want {
				t.Errorf("%s matches %q: %v, want %v", pattern, line, got, want)
			}
		}
	}
	// The expression isn't asked where most lines begin.
	for pattern, want := range map[string][2]verdict{`^\s`: {never, always}, `^(\s|Caused by:)`: {never, ask}, `^\s+at `: {never, ask}, `x`: {ask, ask}} {
		m := NewMatcher(regexp.MustCompile(pattern))
		if got := [2]verdict{m.first['2'], m.first[' ']}; got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}

// BenchmarkMatcher compares it with the expression alone.
func BenchmarkMatcher(b *testing.B) {
	line := []byte("2026-11-21 12:00:00 INFO request done id=42")
	m := NewMatcher(regexp.MustCompile(`^(\s|Caused by:)`))
	b.Run("matcher", func(b *testing.B) {
		for b.Loop() {
			m.Match(line)
		}
	})
	b.Run("regexp", func(b *testing.B) {
		for b.Loop() {
			m.re.Match(line)
		}
	})
}
