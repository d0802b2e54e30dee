package state

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"servicehost/host/jsonl"
)

const (
	logName = "records.jsonl"
	newName = logName + ".new"
	// The log is rewritten when more than half of it, and more than this, is of no use any more.
	minGarbage = 256 << 10
	// What could not be written is kept in order up to this; beyond it the whole log is rewritten
	// once the disk takes it.
	maxBacklog = 1 << 20
)

// recordLog is the file of records: lines that say what a key became, the latest counts. The state
// that a kill leaves is the one after some prefix of the changes.
type recordLog struct {
	dir     string
	f       *os.File
	size    int64  // end of the whole lines in the file
	live    int64  // what the lines of the present records take
	backlog []byte // lines that belong at size
	rewrite bool   // the file and the backlog do not make up the state
	// compactAt puts off the next try after a rewrite that failed.
	compactAt int64
}

// open reads the file into values, cuts a torn end off, and returns how many lines before it are broken.
func (l *recordLog) open(values map[string][]byte) (damaged int, err error) {
	if err := os.Remove(filepath.Join(l.dir, newName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if l.f, err = os.OpenFile(filepath.Join(l.dir, logName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return 0, err
	}
	unknown := 0
	res, err := jsonl.Scan(l.f, func(payload []byte) error {
		key, raw, ok := parseRecord(payload)
		switch {
		case !ok:
			unknown++
		case raw == nil:
			l.live -= lineSize(key, values[key])
			delete(values, key)
		default:
			l.live += lineSize(key, raw) - lineSize(key, values[key])
			values[key] = bytes.Clone(raw)
		}
		return nil
	})
	if err == nil && res.Torn {
		err = l.f.Truncate(res.Good)
	}
	if err != nil {
		l.f.Close()
		return 0, err
	}
	l.size = res.Good
	return res.Damaged + unknown, nil
}

// The payloads are {"k":"key","v":value} and, for a key that is gone, {"k":"key"}. Keys hold nothing
// that is escaped, so no JSON decoder is needed to split them.
func appendRecord(dst []byte, key string, raw []byte) []byte {
	p := make([]byte, 0, len(key)+len(raw)+16)
	p = append(append(p, `{"k":"`...), key...)
	p = append(p, '"')
	if raw != nil {
		p = append(append(p, `,"v":`...), raw...)
	}
	return jsonl.Append(dst, append(p, '}'))
}

func parseRecord(payload []byte) (key string, raw []byte, ok bool) {
	rest, ok := bytes.CutPrefix(payload, []byte(`{"k":"`))
	if !ok {
		return "", nil, false
	}
	end := bytes.IndexByte(rest, '"')
	if end <= 0 || rest[len(rest)-1] != '}' {
		return "", nil, false
	}
	key, rest = string(rest[:end]), rest[end+1:len(rest)-1]
	if len(rest) == 0 {
		return key, nil, true
	}
	raw, ok = bytes.CutPrefix(rest, []byte(`,"v":`))
	return key, raw, ok && len(raw) > 0
}

// lineSize is what a record takes in the file; a missing one takes nothing.
func lineSize(key string, raw []byte) int64 {
	if raw == nil {
		return 0
	}
	return int64(jsonl.Size(len(`{"k":"","v":}`) + len(key) + len(raw)))
}

func (l *recordLog) put(key string, old, raw []byte) {
	l.live += lineSize(key, raw) - lineSize(key, old)
	l.queue(key, raw)
}

func (l *recordLog) remove(key string, old []byte) {
	l.live -= lineSize(key, old)
	l.queue(key, nil)
}

func (l *recordLog) queue(key string, raw []byte) {
	if l.rewrite {
		return
	}
	l.backlog = appendRecord(l.backlog, key, raw)
	// One large record alone is no backlog.
	if len(l.backlog) > maxBacklog && len(l.backlog) > 2*int(lineSize(key, raw)) {
		l.rewrite, l.backlog = true, nil
	}
}

// flush writes what is queued, at a known place: a try that failed half-way is overwritten.
func (l *recordLog) flush(values map[string][]byte) error {
	if l.rewrite {
		return l.compact(values)
	}
	if len(l.backlog) == 0 {
		return nil
	}
	if _, err := l.f.WriteAt(l.backlog, l.size); err != nil {
		return err
	}
	l.size += int64(len(l.backlog))
	if l.backlog = l.backlog[:0]; cap(l.backlog) > 64<<10 {
		l.backlog = nil
	}
	if garbage := l.size - l.live; garbage > l.live && garbage > minGarbage && l.size >= l.compactAt {
		if err := l.compact(values); err != nil {
			if l.f == nil {
				return err
			}
			// Nothing is lost: the old file holds everything.
			l.compactAt = l.size + minGarbage
		}
	}
	return nil
}

// compact writes the present records into a new file and lets it take the place of the old one. When
// that fails the old file stays in use.
func (l *recordLog) compact(values map[string][]byte) error {
	path := filepath.Join(l.dir, logName)
	size, err := writeAll(filepath.Join(l.dir, newName), values)
	if err != nil {
		_ = os.Remove(filepath.Join(l.dir, newName))
		return err
	}
	// Windows does not replace a file that is open.
	if l.f != nil {
		l.f.Close()
	}
	err = os.Rename(filepath.Join(l.dir, newName), path)
	var oerr error
	if l.f, oerr = os.OpenFile(path, os.O_RDWR, 0o600); oerr != nil {
		l.f, l.rewrite = nil, true
		return errors.Join(err, oerr)
	}
	if err != nil {
		return err
	}
	l.size, l.live, l.backlog, l.rewrite, l.compactAt = size, size, nil, false, 0
	return syncDir(l.dir)
}

func writeAll(path string, values map[string][]byte) (size int64, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	var buf []byte
	flush := func() {
		if err == nil {
			_, err = f.Write(buf)
		}
		size += int64(len(buf))
		buf = buf[:0]
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if buf = appendRecord(buf, key, values[key]); len(buf) > 128<<10 {
			flush()
		}
	}
	flush()
	if err == nil {
		err = f.Sync()
	}
	return size, errors.Join(err, f.Close())
}

func (l *recordLog) sync() error {
	if l.f == nil {
		return os.ErrClosed
	}
	return l.f.Sync()
}

func (l *recordLog) close() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}
