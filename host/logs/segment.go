package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"servicehost/spec"
)

// segment is the reading of one file of a log: the lines between two offsets that a Query selects.
type segment struct {
	r      *reader
	t      *follower
	scan   scanner
	clock  *clock
	file   io.Closer // nil: it is the follower's
	shaped int64     // lines before it may have times of their own
	mine   int64     // time of the last line that had its own
	hi     int64

	line   []byte // as it is in the file
	text   []byte // what the service wrote
	stream string
	at     int64 // 0: not known
	guess  int64 // at of lines of which nothing is known
}

// bounds is the part of a file in which lines from since to until are. f is nil if it is compressed.
func (r *reader) bounds(t *follower, f io.ReaderAt, size int64, c *clock) (lo, hi int64) {
	hi = size
	if r.since > 0 {
		lo = min(c.since(r.since), hi)
	}
	if r.until > 0 {
		hi = max(lo, min(hi, c.until(r.until)))
	}
	if f == nil {
		return lo, hi
	}
	if c.n > 0 && (lo < size && !beginsLine(f, lo) || hi < size && !beginsLine(f, hi)) {
		c.forget() // it is of another file, or damaged
		return r.bounds(t, f, size, c)
	}
	// Where there are no marks the lines may have times.
	end := min(hi, r.shapedTo(t, c))
	if lo >= end {
		return lo, hi
	}
	if r.since > 0 {
		lo, _ = seekTime(f, lo, end, r.since-disorder)
	}
	if r.until > 0 && end == hi {
		_, hi = seekTime(f, lo, hi, r.until+disorder)
	}
	return lo, hi
}

func beginsLine(f io.ReaderAt, off int64) bool {
	var b [1]byte
	if off == 0 {
		return true
	}
	_, err := f.ReadAt(b[:], off-1)
	return err != nil || b[0] == '\n'
}

// shapedTo is where lines that have times of their own may end.
func (r *reader) shapedTo(t *follower, c *clock) int64 {
	if m, ok := c.mark(0); ok && t.Format == spec.FormatRaw {
		return m.off
	}
	return noTime
}

// newSegment needs scan.in and scan.off to be set.
func (r *reader) newSegment(t *follower, c *clock) *segment {
	s := &segment{r: r, t: t, clock: c, shaped: r.shapedTo(t, c), hi: noTime}
	s.scan.size = r.bufSize
	return s
}

// currentSegment is the current file from from on. Nothing in it is older than floor.
func (r *reader) currentSegment(t *follower, floor, from int64) *segment {
	lo, hi := r.bounds(t, t.f, t.size, t.clock)
	lo = max(lo, min(from, hi))
	s := r.newSegment(t, t.clock)
	if s.guess = floor; floor == 0 && t.written > 0 {
		s.guess = t.clock.atLatest(t.written)
	}
	t.clock.toOffset(lo)
	s.scan.in, s.scan.off, s.hi = io.NewSectionReader(t.f, lo, hi-lo), lo, hi
	return s
}

// rotatedSegment is a rotated file from from on; nil if there is nothing in it. Nothing in it is older than floor.
func (r *reader) rotatedSegment(t *follower, o rotated, floor, from int64) (*segment, error) {
	if r.since > 0 && o.ms < r.since {
		return nil, nil
	}
	in, err := openRotated(t.Path, o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // deleted meanwhile
	}
	if err != nil {
		return nil, err
	}
	size := int64(noTime)
	f, plain := in.(*os.File)
	if plain {
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
	}
	c := openClock(rotatedPath(t.Path, o.ms, formPlain), size, o.ms)
	s := r.newSegment(t, c)
	s.file = in
	if s.guess = floor; floor == 0 {
		s.guess = c.atLatest(o.ms)
	}
	var lo int64
	if plain {
		lo, s.hi = r.bounds(t, f, size, c)
		lo = max(lo, from)
		s.scan.in, s.scan.off = io.NewSectionReader(f, lo, max(0, s.hi-lo)), lo
	} else {
		lo, s.hi = r.bounds(t, nil, size, c)
		s.scan.in = in
		err = s.scan.skipTo(max(lo, from))
	}
	c.toOffset(s.scan.off)
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *segment) close() {
	s.clock.close()
	if s.file != nil {
		s.file.Close()
	}
}

// next goes to the next line that the query selects. The error at the end is io.EOF.
func (s *segment) next(ctx context.Context) error {
	for {
		off := s.scan.off
		if off >= s.hi {
			return io.EOF
		}
		if s.scan.lo == s.scan.hi && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := s.scan.next()
		if err != nil {
			return err
		}
		if s.file == nil && s.r.q.Follow && s.scan.eof && line[len(line)-1] != '\n' && len(line) < maxLine {
			s.t.part = bytes.Clone(line) // it goes on
			return io.EOF
		}
		if s.take(line, off) {
			return nil
		}
	}
}

// take reads a line and reports whether it is selected.
func (s *segment) take(line []byte, off int64) bool {
	s.clock.to(off)
	line = trimEnd(line)
	s.line, s.text, s.stream, s.at = line, line, s.t.Stream, s.clock.at
	ended := s.clock.end
	if off < s.shaped {
		if p, ok := parseLine(line); ok {
			s.text, s.stream, s.at, ended, s.mine = p.text, p.stream, p.at, p.at, p.at
		} else if s.mine > 0 {
			s.at, ended = s.mine, s.mine
		}
	}
	if !s.r.inTime(s.at, ended) || !s.r.selects(s.stream, s.text) {
		return false
	}
	if s.at == 0 {
		s.at = s.guess
	}
	return true
}

// inTime reports whether something that was written from at to ended may belong to the time that is asked for.
func (r *reader) inTime(at, ended int64) bool {
	return (r.since == 0 || ended >= r.since) && (r.until == 0 || at <= r.until)
}

func (r *reader) selects(stream string, text []byte) bool {
	return (r.q.Stream == "" || r.q.Stream == stream) && (r.q.Grep == nil || r.q.Grep.Match(text))
}

// matcher returns what lastLines counts.
func (r *reader) matcher(t *follower, c *clock) func(line []byte, off int64) bool {
	shaped := r.shapedTo(t, c)
	return func(line []byte, off int64) bool {
		if off < shaped {
			if p, ok := parseLine(line); ok {
				return r.inTime(p.at, p.at) && r.selects(p.stream, p.text)
			}
		}
		return r.selects(t.Stream, line)
	}
}
