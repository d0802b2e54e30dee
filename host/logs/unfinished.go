package logs

import (
	"strconv"
	"unicode/utf8"
)

// unfinished is a line whose end hasn't come yet, of which no more is kept than will be written.
type unfinished struct {
	kept  []byte
	total int  // its bytes so far
	cr    bool // the last of them is a carriage return
}

// maxKept is what a stream keeps of memory for the next long line.
const maxKept = 16 << 10

// add takes more of the line; max is where it will be cut.
func (u *unfinished) add(b []byte, max int) {
	if len(b) == 0 {
		return
	}
	u.total += len(b)
	u.cr = b[len(b)-1] == '\r'
	// Two more: a carriage return may not belong to it, and what comes behind tells where a character ends.
	u.kept = append(u.kept, b[:min(len(b), max+2-len(u.kept))]...)
}

// text is the line without its end, at most max bytes of it, and how many more there were.
func (u *unfinished) text(max int) (text []byte, cut int) {
	n := u.total
	if u.cr {
		n--
	}
	if n <= max {
		return u.kept[:n], 0
	}
	at := boundary(u.kept, max)
	return u.kept[:at], n - at
}

func (u *unfinished) reset() {
	if u.kept = u.kept[:0]; cap(u.kept) > maxKept {
		u.kept = nil
	}
	u.total, u.cr = 0, false
}

// clipLine is text for a line that is there as a whole.
func clipLine(line []byte, max int) (text []byte, cut int) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) <= max {
		return line, 0
	}
	at := boundary(line, max)
	return line[:at], len(line) - at
}

// boundary is where b is cut, so that no character is: max or a little less. b is longer than max.
func boundary(b []byte, max int) int {
	for i := max; i > 0 && i > max-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			return i
		}
	}
	return max
}

// appendCut appends what stands behind a line that was cut.
func appendCut(dst []byte, bytes int) []byte {
	dst = strconv.AppendInt(append(dst, " [\u2026 "...), int64(bytes), 10)
	return append(dst, " bytes cut]"...)
}
