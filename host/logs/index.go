package logs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A raw log has no times in it. Beside it lies an index, .FILE.idx, which patterns for logs pass over: a head of 16 bytes, then for each second in
// which something was written one mark of 16 bytes, little endian: the time (6, Unix milliseconds), where a line
// began then (6), how long after the mark before the bytes before it were written (3, milliseconds; all ones:
// not known) and a sum of these (1). A rotated log keeps its index, and offsets are of the plain text when it is
// compressed. An index that is lost or damaged only makes times coarser.
const (
	indexPrefix = "."
	indexSuffix = ".idx"
	indexHead   = "host log index\n1"
	markSize    = 16
	markNever   = 1<<24 - 1
	markEvery   = 1000 // milliseconds
	marksKept   = 64
	// indexDelay is how long marks stay in memory at most, of a host that is not killed.
	indexDelay = 30 * time.Second
	// flushPatience is how long a flush waits for writers that are busy, or hang.
	flushPatience = 500 * time.Millisecond
)

// indexPath is where the index of the log or rotated plain file at path lies.
func indexPath(path string) string {
	dir, base := filepath.Split(path)
	return dir + indexPrefix + base + indexSuffix
}

// mark is one entry of an index.
type mark struct {
	at    int64 // Unix milliseconds
	off   int64 // of a line's beginning
	ended int64 // when the bytes before off were written last; 0: not known
}

// put encodes m; before is the time of the mark before it.
func (m mark) put(b []byte, before int64) []byte {
	span := int64(markNever)
	if d := m.ended - before; m.ended > 0 && before > 0 && d < markNever {
		span = max(0, d)
	}
	var r [markSize]byte
	binary.LittleEndian.PutUint64(r[:], uint64(m.at))
	binary.LittleEndian.PutUint64(r[6:], uint64(m.off))
	binary.LittleEndian.PutUint32(r[12:], uint32(span))
	r[15] = markSum(r[:15])
	return append(b, r[:]...)
}

// getMark decodes what put made, and reports whether it is whole.
func getMark(r []byte, before int64) (mark, bool) {
	const six = 1<<48 - 1
	m := mark{at: int64(binary.LittleEndian.Uint64(r) & six), off: int64(binary.LittleEndian.Uint64(r[6:]) & six)}
	if span := int64(binary.LittleEndian.Uint32(r[12:]) & markNever); span != markNever && before > 0 {
		m.ended = before + span
	}
	return m, r[15] == markSum(r[:15])
}

func markSum(r []byte) byte {
	sum := uint32(0x5a)
	for _, c := range r {
		sum = sum*31 + uint32(c)
	}
	return byte(sum ^ sum>>8)
}

// marks is the part of a writer that notes times. The writer's mu guards it.
type marks struct {
	on    bool // the file has no times of its own
	none  bool // there is no index on the disk
	kept  []mark
	at    int64 // time of the newest mark
	off   int64 // its offset
	seen  int64 // when the newest mark was made, by the clock
	wrote int64 // last write
	since int64 // when the file before it was rotated, if that was seen
}

// mark notes where the file stands when p comes to its end, at most once a second. It allocates nothing but
// the first few marks.
func (w *writer) mark(p []byte, now time.Time) {
	x := &w.index
	ms := now.UnixMilli()
	if d := ms - x.seen; d < markEvery && d >= 0 {
		x.wrote = ms
		return
	}
	off := w.size
	if w.midLine {
		i := bytes.IndexByte(p, '\n') + 1
		if i == 0 || i == len(p) {
			x.wrote = ms
			return // the next line begins with the next bytes
		}
		off += int64(i)
	}
	x.seen = ms
	if len(x.kept) < marksKept {
		// Times never go back, also when the clock is set.
		x.at, x.off = max(x.at, ms), off
		x.kept = append(x.kept, mark{at: x.at, off: off, ended: x.wrote})
		switch len(x.kept) {
		case 1:
			w.set.orderIndexes(w, indexDelay)
		case marksKept / 2:
			w.set.orderIndexes(w, 0)
		}
	}
	x.wrote = ms
}

// beginIndex begins the marks of a file that was just opened.
func (w *writer) beginIndex(info fileInfo) {
	x := &w.index
	x.kept = x.kept[:0]
	x.at, x.off, x.seen, x.wrote = 0, 0, 0, 0
	if info.size == 0 {
		w.dropIndex()
		return
	}
	x.none = false
	if st, err := os.Lstat(w.path); err == nil {
		x.wrote = st.ModTime().UnixMilli()
	}
}

// dropIndex is called when what was in the file is gone, as after copytruncate.
func (w *writer) dropIndex() {
	x := &w.index
	x.kept, x.off, x.seen = x.kept[:0], 0, 0
	if !x.none {
		removeIndex(w.path)
		x.none = true
	}
}

// endIndex is flushIndex and notes when the last line was written.
func (w *writer) endIndex() {
	x := &w.index
	if x.at > 0 && w.size > x.off && !w.midLine {
		x.at, x.off = max(x.at, x.wrote), w.size
		x.kept = append(x.kept, mark{at: x.at, off: x.off, ended: x.at})
	}
	w.flushIndex()
}

// flushIndex puts the marks on the disk. It needs mu.
func (w *writer) flushIndex() {
	x := &w.index
	if len(x.kept) == 0 {
		return
	}
	if err := appendMarks(w.path, x.kept); err == nil {
		x.none = false
	}
	x.kept = x.kept[:0] // times are coarser if it could not be written
}

// renameIndex has the index follow the log, which was renamed to the name of a rotated file. It needs mu, and
// the path still to be the log's.
func (w *writer) renameIndex(to string, now time.Time) {
	x := &w.index
	ms := now.UnixMilli()
	if x.none && x.since > 0 && ms-x.since <= 2*markEvery {
		x.kept = x.kept[:0] // the names of two rotated files tell as much
	}
	w.flushIndex()
	if !x.none {
		_ = os.Rename(indexPath(w.path), indexPath(to)) // it may be missing
	}
	x.none = true
	x.since = ms
	x.at = 0 // and endIndex has nothing to add: at the path is another file's now
}

// removeIndex deletes the index of the log or rotated plain file at path, which is gone.
func removeIndex(path string) {
	name := indexPath(path)
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
		_ = os.Remove(name) // what stays is harmless
	}
}

// appendMarks adds to the index of the log at path. What is there and doesn't fit is replaced.
func appendMarks(path string, add []mark) error {
	for try := 0; ; try++ {
		f, err := openAppend(indexPath(path))
		if err != nil {
			return err
		}
		err = writeMarks(f, path, add)
		f.Close()
		if !errors.Is(err, errForeign) || try > 0 {
			return err
		}
		removeIndex(path)
	}
}

var errForeign = errors.New("not an index of this file")

func writeMarks(f *os.File, path string, add []mark) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	b := make([]byte, 0, len(indexHead)+len(add)*markSize)
	before := int64(0)
	switch {
	case size == 0:
		if log, err := os.Lstat(path); err == nil {
			_ = f.Chmod(log.Mode().Perm()) // Windows: inherited anyway
		}
		b = append(b, indexHead...)
	default:
		last, n, ok := lastMark(f, size)
		if !ok || last.off > add[0].off {
			return errForeign
		}
		if whole := int64(len(indexHead)) + n*markSize; whole != size && f.Truncate(whole) != nil {
			return errForeign // Windows: the file is open for appending only
		}
		before = last.at
	}
	for _, m := range add {
		m.at = max(m.at, before)
		b = m.put(b, before)
		before = m.at
	}
	_, err = f.Write(b)
	return err
}

// lastMark returns the last whole mark of an index and how many there are; a head alone has the zero mark.
func lastMark(f io.ReaderAt, size int64) (m mark, n int64, ok bool) {
	var b [markSize]byte
	if _, err := f.ReadAt(b[:], 0); err != nil || string(b[:]) != indexHead {
		return mark{}, 0, false
	}
	n = (size - int64(len(indexHead))) / markSize
	if n == 0 {
		return mark{}, 0, true
	}
	if _, err := f.ReadAt(b[:], int64(len(indexHead))+(n-1)*markSize); err != nil {
		return mark{}, 0, false
	}
	m, ok = getMark(b[:], 0)
	return m, n, ok
}

// FlushIndexes puts the times of what was written on the disk, where Read finds them. It does not wait for a
// disk that hangs.
func (s *Set) FlushIndexes() {
	s.mu.Lock()
	var all []*writer
	for w := range s.writers {
		all = append(all, w)
	}
	s.mu.Unlock()
	end := time.Now().Add(flushPatience)
	for _, w := range all {
		for {
			if w.mu.TryLock() {
				w.endIndex()
				w.mu.Unlock()
				break
			}
			if time.Now().After(end) {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// orderIndexes has the worker flush w's marks after the given time.
func (s *Set) orderIndexes(w *writer, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now().Add(after)
	if s.marked == nil {
		s.marked = make(map[*writer]bool)
	}
	s.marked[w] = true
	if s.markAt.IsZero() || at.Before(s.markAt) {
		s.markAt = at
	}
	s.wakeBy(s.markAt)
}

// writeIndexes is called by the worker.
func (s *Set) writeIndexes() {
	s.mu.Lock()
	if s.markAt.IsZero() {
		s.mu.Unlock()
		return
	}
	if time.Now().Before(s.markAt) {
		s.wakeBy(s.markAt)
		s.mu.Unlock()
		return
	}
	all := s.marked
	s.marked, s.markAt = nil, time.Time{}
	s.mu.Unlock()
	for w := range all {
		w.lock()
		w.endIndex()
		w.unlock()
	}
}
