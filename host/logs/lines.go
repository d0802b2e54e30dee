package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
)

// lastLines returns where the last n matching lines before size begin, and how many there are if it
// is fewer. It reads backwards, no more than it needs.
func lastLines(f io.ReaderAt, size, n int64, match func([]byte) bool) (start, found int64, err error) {
	if n <= 0 {
		return size, 0, nil
	}
	const block = 64 << 10
	var carry []byte // the beginning of what was read so far, up to its first line end
	at, first := size, size
	buf := make([]byte, 0, block)
	for at > 0 {
		from := max(0, at-block)
		buf = append(buf[:0], make([]byte, at-from)...)
		if _, err := io.ReadFull(io.NewSectionReader(f, from, at-from), buf); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				return 0, found, nil // cut short meanwhile: read it from its beginning
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
			if i < 0 && from > 0 && end < maxLine {
				break // its beginning is further to the front
			}
			if match(trimEnd(body[i+1:])) {
				found++
				first = from + int64(i+1)
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

// each calls do for each line of a rotated file, with its end. One that has been deleted has none.
func (r *reader) each(ctx context.Context, t *follower, o rotated, do func([]byte) error) error {
	f, err := openRotated(t.Path, o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var part []byte
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.Read(r.buf)
		var failed error
		if part, failed = splitLines(part, r.buf[:n], do); failed != nil {
			return failed
		}
		switch {
		case err == nil:
		case err != io.EOF:
			return err
		case len(part) > 0:
			return do(part)
		default:
			return nil
		}
	}
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

// count returns the number of matching lines of a rotated file.
func (r *reader) count(ctx context.Context, t *follower, o rotated) (n int64, err error) {
	err = r.each(ctx, t, o, func(line []byte) error {
		if r.matches(trimEnd(line)) {
			n++
		}
		return nil
	})
	return n, err
}

// whole sends a rotated file but its first skip matching lines.
func (r *reader) whole(ctx context.Context, t *follower, o rotated, skip int64) error {
	return r.each(ctx, t, o, func(line []byte) error {
		if line = trimEnd(line); !r.matches(line) {
			return nil
		}
		if skip--; skip >= 0 {
			return nil
		}
		return r.send(Line{ID: t.ID, Stream: t.Stream, Text: string(line)})
	})
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

func (r *reader) sendLine(t *follower, line []byte) error {
	if line = trimEnd(line); !r.matches(line) {
		return nil
	}
	return r.send(Line{ID: t.ID, Stream: t.Stream, Text: string(line)})
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
