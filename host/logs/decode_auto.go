package logs

import (
	"bytes"
	"unicode/utf8"
)

// undecided is how much of a line is kept, from its first byte that isn't ASCII on, to see whether the
// line is UTF-8: two bytes of a double-byte code page often are a valid sequence by chance.
const undecided = 1 << 10

// autoDecoder leaves lines that are valid UTF-8 as they are and decodes the others. A line that becomes
// invalid only after more than undecided bytes is decoded from there on.
type autoDecoder struct {
	fresh newTransformer
	state lineState
	held  []byte // valid so far, but for the beginning of a sequence at its end
	page  change // of a line that is being decoded
}

type lineState byte

const (
	lineOpen  lineState = iota // ASCII, then held
	lineUTF8                   // taken for UTF-8; held is the beginning of a sequence at most
	lineCoded                  // being decoded
)

func (d *autoDecoder) decode(out *[]byte, b []byte) []byte {
	if d.state == lineOpen && len(d.held) == 0 && utf8.Valid(b) {
		line := b[lineStart(b):]
		i := firstHigh(line)
		if i < 0 {
			return b
		}
		if line = line[i:]; len(line) >= undecided {
			d.state = lineUTF8
			return b
		}
		d.held = append(d.held, line...)
		return b[:len(b)-len(line)]
	}
	o := (*out)[:0]
	for len(b) > 0 {
		i := lineEnd(b)
		if i == 0 {
			o = d.part(o, b)
			break
		}
		o = d.part(o, b[:i])
		o = d.endLine(o)
		b = b[i:]
	}
	*out = o
	return o
}

func (d *autoDecoder) end(out *[]byte) []byte {
	*out = d.endLine((*out)[:0])
	return *out
}

// part takes a line, or some of it.
func (d *autoDecoder) part(out, b []byte) []byte {
	if d.state == lineCoded {
		return d.page.add(out, b, false)
	}
	if len(d.held) > 0 {
		d.held = append(d.held, b...)
		b = d.held
	}
	high := 0
	if d.state == lineOpen {
		if high = firstHigh(b); high < 0 {
			return append(out, b...)
		}
	}
	valid, ok := validUpTo(b[high:])
	valid += high
	switch {
	case !ok:
		if d.state == lineOpen && valid-high < undecided {
			valid = high
		}
		d.begin()
		out = d.page.add(append(out, b[:valid]...), b[valid:], false)
		d.held = keep(d.held, nil)
		return out
	case d.state == lineOpen && valid-high < undecided:
		valid = high
	default:
		d.state = lineUTF8
	}
	out = append(out, b[:valid]...)
	d.held = keep(d.held, b[valid:])
	return out
}

// endLine gives what is kept of a line that is complete.
func (d *autoDecoder) endLine(out []byte) []byte {
	switch {
	case d.state == lineCoded:
		out = d.page.add(out, nil, true)
	case utf8.Valid(d.held):
		out = append(out, d.held...)
	default: // the stream ends in the middle of what began like a sequence
		d.begin()
		out = d.page.add(out, d.held, true)
	}
	d.state, d.held = lineOpen, d.held[:0]
	return out
}

// begin has the rest of the line decoded.
func (d *autoDecoder) begin() {
	d.state = lineCoded
	if d.page.t == nil {
		d.page.t = d.fresh()
	}
	d.page.t.Reset()
}

func (d *autoDecoder) unsettled() bool {
	if d.state != lineOpen || len(d.held) == 0 {
		return false
	}
	valid, _ := validUpTo(d.held)
	return valid > 0
}

// settle takes the line for UTF-8 from here on.
func (d *autoDecoder) settle() []byte {
	if !d.unsettled() {
		return nil
	}
	valid, _ := validUpTo(d.held)
	b := bytes.Clone(d.held[:valid])
	d.held = append(d.held[:0], d.held[valid:]...)
	d.state = lineUTF8
	return b
}

// validUpTo returns how many bytes of b are whole UTF-8 sequences, and false if what follows them can't
// become one.
func validUpTo(b []byte) (int, bool) {
	if utf8.Valid(b) {
		return len(b), true
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i, !utf8.FullRune(b[i:])
		}
		i += n
	}
	return len(b), true
}

// lineEnd returns where the first line of b ends, 0 if it doesn't. A carriage return ends one, too:
// progress is shown so, and no code page uses it or a newline as a part of another character.
func lineEnd(b []byte) int {
	i := bytes.IndexByte(b, '\n') + 1
	if i > 0 {
		b = b[:i]
	}
	if j := bytes.IndexByte(b, '\r') + 1; j > 0 {
		return j
	}
	return i
}

// lineStart returns where the last line of b begins.
func lineStart(b []byte) int {
	for i := len(b); i > 0; i-- {
		if c := b[i-1]; c == '\n' || c == '\r' {
			return i
		}
	}
	return 0
}

func firstHigh(b []byte) int {
	i := 0
	for len(b)-i >= 32 && isASCII(b[i:i+32]) {
		i += 32
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}
