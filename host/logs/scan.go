package logs

import (
	"bytes"
	"errors"
	"io"
)

// maxLine is where longer lines are cut into several.
const maxLine = 1 << 20

// scanner reads the lines of a file in order.
type scanner struct {
	in     io.Reader
	size   int // of buf, as long as lines are short
	buf    []byte
	lo, hi int
	off    int64 // of buf[lo] in the file
	eof    bool
}

// next returns the next line with its end, which the last one may lack. It is valid until the next call.
func (s *scanner) next() ([]byte, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(s.buf[s.lo+seen:s.hi], '\n'); i >= 0 {
			return s.take(seen + i + 1), nil
		}
		seen = s.hi - s.lo
		if seen >= maxLine || s.eof && seen > 0 {
			return s.take(seen), nil
		}
		if s.eof {
			return nil, io.EOF
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

func (s *scanner) take(n int) []byte {
	line := s.buf[s.lo : s.lo+n]
	s.lo += n
	s.off += int64(n)
	return line
}

// fill reads what comes next behind what is left.
func (s *scanner) fill() error {
	switch rest := s.hi - s.lo; {
	case rest == 0 && len(s.buf) != s.size:
		s.buf = make([]byte, s.size)
		s.lo, s.hi = 0, 0
	case s.lo > 0:
		copy(s.buf, s.buf[s.lo:s.hi])
		s.lo, s.hi = 0, rest
	case s.hi == len(s.buf):
		s.buf = append(s.buf, make([]byte, min(len(s.buf), maxLine-len(s.buf)))...)
	}
	n, err := s.in.Read(s.buf[s.hi:])
	s.hi += n
	if errors.Is(err, io.EOF) {
		s.eof = true
		return nil
	}
	return err
}

// skipTo leaves out what is before off.
func (s *scanner) skipTo(off int64) error {
	n, err := io.CopyN(io.Discard, s.in, off-s.off)
	s.off += n
	if errors.Is(err, io.EOF) {
		s.eof = true
		return nil
	}
	return err
}
