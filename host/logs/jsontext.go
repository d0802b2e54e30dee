package logs

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// eight bytes at a time
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special has a high bit set in the lowest byte of x that can't stand in JSON as it is, or isn't ASCII.
// Bytes above that one may be taken for special, too.
func special(x uint64) uint64 {
	quote, slash := x^('"'*ones), x^('\\'*ones)
	return ((x - ' '*ones) | (quote - ones) | (slash - ones) | x) & highs
}

// appendJSON appends text as it stands in a JSON string: as encoding/json does without its care for HTML,
// with U+FFFD for what is no UTF-8.
func appendJSON(dst, text []byte) []byte {
	for {
		dst = slices.Grow(dst, len(text)+8)
		n := len(dst)
		to := dst[:cap(dst)]
		i := 0
		for len(text)-i >= 8 {
			x := binary.LittleEndian.Uint64(text[i:])
			binary.LittleEndian.PutUint64(to[n:], x)
			if found := special(x); found != 0 {
				plain := bits.TrailingZeros64(found) / 8
				i += plain
				n += plain
				break
			}
			i += 8
			n += 8
		}
		for i < len(text) && isPlain[text[i]] {
			to[n] = text[i]
			i++
			n++
		}
		dst, text = dst[:n], text[i:]
		if len(text) == 0 {
			return dst
		}
		if text[0] >= utf8.RuneSelf {
			dst, text = appendRunes(dst, text)
			continue
		}
		dst, text = appendEscape(dst, text[0]), text[1:]
	}
}

// isPlain tells which bytes stand in JSON as they are.
var isPlain = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

const hex = "0123456789abcdef"

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendRunes appends what of text is not ASCII, up to the first character that is.
func appendRunes(dst, text []byte) (out, rest []byte) {
	done := 0 // of text, in dst
	i := 0
	for i < len(text) && text[i] >= utf8.RuneSelf {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			dst = append(dst, text[done:i]...)
			if size == 1 {
				dst = append(dst, `\ufffd`...)
			} else { // a line end to some who read lines
				dst = append(dst, `\u202`...)
				dst = append(dst, hex[r&15])
			}
			done = i + size
		}
		i += size
	}
	return append(dst, text[done:i]...), text[i:]
}
