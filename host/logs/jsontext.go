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
	for len(text) > 0 {
		dst, text = appendASCII(dst, text)
		if len(text) > 0 {
			dst, text = appendRunes(dst, text)
		}
	}
	return dst
}

// appendASCII appends what of text is ASCII and returns what begins with something else.
func appendASCII(dst, text []byte) (out, rest []byte) {
	const most = 8 // bytes are written for one, or for eight
	for {
		dst = slices.Grow(dst, len(text)+len(text)/8+2*most)
		n, to := len(dst), dst[:cap(dst)]
		for len(to)-n >= len(text)+most {
			if len(text) >= 8 {
				x := binary.LittleEndian.Uint64(text)
				binary.LittleEndian.PutUint64(to[n:], x)
				found := special(x)
				if found == 0 {
					n, text = n+8, text[8:]
					continue
				}
				plain := bits.TrailingZeros64(found) / 8
				n, text = n+plain, text[plain:]
			} else if len(text) == 0 {
				return to[:n], nil
			}
			c := text[0]
			switch e := escapes[c]; e {
			case asItIs:
				to[n] = c
				n++
			case foreign:
				return to[:n], text
			case inHex:
				n += copy(to[n:], []byte{'\\', 'u', '0', '0', hex[c>>4], hex[c&15]})
			default:
				to[n], to[n+1] = '\\', e
				n += 2
			}
			text = text[1:]
		}
		dst = to[:n]
	}
}

// What escapes has for a byte but what stands behind a backslash for it.
const (
	asItIs  = 0
	inHex   = 1
	foreign = 2 // not ASCII
)

var escapes = func() (e [256]byte) {
	for c := range e {
		switch {
		case c < ' ':
			e[c] = inHex
		case c >= utf8.RuneSelf:
			e[c] = foreign
		}
	}
	for c, as := range map[byte]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'} {
		e[c] = as
	}
	return e
}()

const hex = "0123456789abcdef"

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
