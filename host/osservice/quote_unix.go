//go:build unix

package osservice

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoted writes a word so that it is one, whatever is in it. Plain ones stay as people write them.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._=:%$+,@-") == "" {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ', c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// joined is a command line of which Words finds the words again.
func joined(words []string) string {
	out := make([]string, len(words))
	for n, w := range words {
		out[n] = quoted(w)
	}
	return strings.Join(out, " ")
}

// Words are the words of a command as Status has it.
func Words(command string) []string {
	var words []string
	for {
		command = strings.TrimLeft(command, blanks)
		if command == "" {
			return words
		}
		var word string
		word, command = firstWord(command)
		words = append(words, word)
	}
}

const blanks = " \t\r\n"

// firstWord takes the first word off a command line, by the rules of systemd: quotes group, also within a
// word, and a backslash begins an escape wherever it stands.
// https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html#Quoting
func firstWord(s string) (word, rest string) {
	var b strings.Builder
	var quote byte
	for n := 0; n < len(s); {
		c := s[n]
		n++
		switch {
		case c == '\\' && n < len(s):
			n += unescape(&b, s[n:])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && strings.IndexByte(blanks, c) >= 0:
			return b.String(), s[n:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

var escapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', 's': ' ', '\\': '\\', '"': '"', '\'': '\'',
}

// unescape writes what stands behind a backslash and returns how much of s that was. What is no escape
// stands for itself.
func unescape(b *strings.Builder, s string) int {
	if c, ok := escapes[s[0]]; ok {
		b.WriteByte(c)
		return 1
	}
	for _, form := range []struct {
		mark         string
		digits, base int
		char         bool // a character, not a byte
	}{{"x", 2, 16, false}, {"u", 4, 16, true}, {"U", 8, 16, true}, {"", 3, 8, false}} {
		digits, ok := strings.CutPrefix(s, form.mark)
		if !ok || len(digits) < form.digits {
			continue
		}
		v, err := strconv.ParseUint(digits[:form.digits], form.base, 32)
		if err != nil || !form.char && v > 0xff || form.char && !utf8.ValidRune(rune(v)) {
			continue
		}
		if form.char {
			b.WriteRune(rune(v))
		} else {
			b.WriteByte(byte(v))
		}
		return len(form.mark) + form.digits
	}
	b.WriteByte('\\')
	b.WriteByte(s[0])
	return 1
}
