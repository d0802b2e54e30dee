package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"servicehost/spec"
)

// lastLines returns where the last n matching lines between lo and hi begin, and how many there are if it
// is fewer. It reads backwards, no more than it needs.
func lastLines(f io.ReaderAt, lo, hi, n int64, match func(line []byte, off int64) bool) (start, found int64, err error) {
	if n <= 0 {
		return hi, 0, nil
	}
	const block = 64 << 10
	var carry []byte // the beginning of what was read so far, up to its first line end
	at, first := hi, hi
	buf := make([]byte, 0, block)
	for at > lo {
		from := max(lo, at-block)
		buf = append(buf[:0], make([]byte, at-from)...)
		if _, err := io.ReadFull(io.NewSectionReader(f, from, at-from), buf); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				return lo, found, nil // cut short meanwhile: read it from its beginning
			}
			return 0, 0, err
		}
		data := buf
		if len(carry) > 0 {
			data = append(bytes.Clone(buf), carry...)
		}
		end := len(data)
		for end > 0 {
			body := data[:end]
			if body[end-1] == '\n' {
				body = body[:end-1]
			}
			i := bytes.LastIndexByte(body, '\n')
			if i < 0 && from > lo && end < maxLine {
				break // its beginning is further to the front
			}
			if off := from + int64(i+1); match(trimEnd(body[i+1:]), off) {
				found++
				first = off
				if found == n {
					return first, found, nil
				}
			}
			end = i + 1
		}
		carry = bytes.Clone(data[:end])
		at = from
	}
	return first, found, nil
}

// trimEnd takes the end of the line away, whatever the system's.
func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// splitLines calls do for each whole line of part and p and returns what is left over. An overlong
// line counts as whole.
func splitLines(part, p []byte, do func([]byte) error) ([]byte, error) {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			if part = append(part, p...); len(part) < maxLine {
				return part, nil
			}
			err := do(part)
			return part[:0], err
		}
		line := p[:i+1]
		if len(part) > 0 {
			line = append(part, line...)
			part = line[:0]
		}
		p = p[i+1:]
		if err := do(line); err != nil {
			return part, err
		}
	}
	return part, nil
}

// whole sends what is selected of a rotated file.
func (r *reader) whole(ctx context.Context, t *follower, o rotated) error {
	s, _ := r.rotatedSegment(t, o, t.lastMS, 0)
	if s == nil {
		return nil // deleted or not to be read: what comes after it is sent
	}
	defer s.close()
	for {
		if s.next(ctx) != nil {
			return ctx.Err() // at its end, or where it is damaged
		}
		if err := r.sendAs(t, s.at, s.stream, s.line, s.text); err != nil {
			return err
		}
	}
}

// toEnd sends what is in t.f from t.off on, at most some limit of bytes if that isn't 0, and reports
// whether it came to the end.
func (r *reader) toEnd(ctx context.Context, t *follower, limit int64) (bool, error) {
	until := t.off + limit
	for limit == 0 || t.off < until {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := t.f.ReadAt(r.buf, t.off)
		t.off += int64(n)
		var sendErr error
		t.part, sendErr = splitLines(t.part, r.buf[:n], func(line []byte) error { return r.sendLine(t, line) })
		if sendErr != nil {
			return false, sendErr
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// sendLine sends a line that was just written.
func (r *reader) sendLine(t *follower, line []byte) error {
	line = trimEnd(line)
	p := parsed{at: time.Now().UnixMilli(), stream: t.Stream, text: line}
	if t.Format != spec.FormatRaw {
		if own, ok := parseLine(line); ok {
			p = own
		}
	}
	if !r.inTime(p.at, p.at) || !r.selects(p.stream, p.text) {
		return nil
	}
	return r.sendAs(t, p.at, p.stream, line, p.text)
}

func (r *reader) sendAs(t *follower, at int64, stream string, line, text []byte) error {
	if r.q.Raw {
		text = line
	}
	l := Line{ID: t.ID, Stream: stream, Text: string(text)}
	if at > 0 {
		l.Time = time.UnixMilli(at)
	}
	return r.send(l)
}

// flush sends a last line without an end.
func (r *reader) flush(t *follower) error {
	if len(t.part) == 0 {
		return nil
	}
	line := t.part
	t.part = nil
	return r.sendLine(t, line)
}
