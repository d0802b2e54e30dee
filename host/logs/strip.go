package logs

import "bytes"

// stripper takes escape sequences (ECMA-48, and the strings of xterm) out of a stream. A sequence may be
// cut anywhere by the chunks of the stream, but none goes beyond a line end: output that begins one and
// never ends it loses no line.
type stripper struct{ state stripState }

type stripState uint8

const (
	outside      stripState = iota
	afterEscape             // after ESC
	inEscape                // after ESC and some of space to /
	inControl               // in a control sequence
	inText                  // in a string, such as a title
	inTextEscape            // in a string after ESC, which ends it
)

const esc = 0x1b

// needless reports whether b has nothing to strip.
func (s *stripper) needless(b []byte) bool {
	return s.state == outside && bytes.IndexByte(b, esc) < 0
}

// strip appends what is left of b to out.
func (s *stripper) strip(out, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if s.state == outside {
			n := bytes.IndexByte(b[i:], esc)
			if n < 0 {
				return append(out, b[i:]...)
			}
			out = append(out, b[i:i+n]...)
			i += n
			s.state = afterEscape
			continue
		}
		if s.next(b[i]) {
			out = append(out, b[i])
		}
	}
	return out
}

// next takes the next byte within a sequence and reports whether it isn't one of it.
func (s *stripper) next(c byte) (foreign bool) {
	if s.state == inTextEscape {
		s.state = afterEscape
		if c == '\\' {
			s.state = outside
			return false
		}
	}
	switch {
	case c == esc && s.state == inText:
		s.state = inTextEscape
	case c == esc:
		s.state = afterEscape
	case c == '\n':
		s.state = outside
		return true
	case s.state == inText:
		if c == '\a' || c == 0x18 || c == 0x1a {
			s.state = outside
		}
	case c < ' ' || c > '~':
		s.state = outside
		return true
	case s.state == inControl:
		if c >= '@' {
			s.state = outside
		}
	case c < '0':
		s.state = inEscape
	case s.state == afterEscape:
		s.state = escaped(c)
	default:
		s.state = outside
	}
	return false
}

// escaped is where the character after ESC leads.
func escaped(c byte) stripState {
	switch c {
	case '[':
		return inControl
	case ']', 'P', 'X', '^', '_':
		return inText
	}
	return outside
}
