package logs

import (
	"io"
	"math"
	"os"
	"sort"
)

// clock tells when the lines of a raw log were written, by its index. Without one it knows nothing.
type clock struct {
	f    *os.File // nil when what is needed of it is in near
	n    int64    // marks in the index
	near []mark   // marks from number first on
	from int64

	// The lines from here up to the next mark were written from at to end.
	at, end int64 // 0: not known
	next    int64 // offset of the next mark
	i       int64 // and its number
	last    int64 // when the file was written last
	lastOff int64 // offset of the last mark
}

// noTime is after all times and all offsets.
const noTime = math.MaxInt64

// clockMarks is how many marks are in memory.
const clockMarks = 256

// openClock opens the index of the plain file at path; size is that of the plain file, noTime if it isn't known.
// What is there and no index counts as none.
func openClock(path string, size, last int64) *clock {
	c := &clock{next: noTime, last: last}
	f, err := openRead(indexPath(path))
	if err != nil {
		return c
	}
	info, err := f.Stat()
	if err == nil {
		if m, n, ok := lastMark(f, info.Size()); ok && n > 0 && m.off <= size {
			c.f, c.n, c.lastOff = f, n, m.off
			c.seek(0)
			return c
		}
	}
	f.Close()
	return c
}

func (c *clock) close() {
	if c.f != nil {
		c.f.Close()
		c.f = nil
	}
}

// forget makes c a clock without an index.
func (c *clock) forget() {
	c.close()
	c.n, c.near = 0, nil
	c.seek(0)
}

// mark returns the mark with number i; a damaged index ends before the damage.
func (c *clock) mark(i int64) (mark, bool) {
	if i < 0 || i >= c.n {
		return mark{}, false
	}
	if i < c.from || i >= c.from+int64(len(c.near)) {
		c.load(i)
	}
	if i -= c.from; i < 0 || i >= int64(len(c.near)) {
		return mark{}, false
	}
	return c.near[i], true
}

// load has the marks from i on in memory.
func (c *clock) load(i int64) {
	c.near, c.from = c.near[:0], i
	if c.f == nil {
		return
	}
	first := max(0, i-1) // the time of the one before is needed
	b := make([]byte, min(clockMarks+1, c.n-first)*markSize)
	if _, err := io.ReadFull(io.NewSectionReader(c.f, int64(len(indexHead))+first*markSize, int64(len(b))), b); err != nil {
		return
	}
	c.from = first
	before := mark{}
	for ; len(b) > 0; b = b[markSize:] {
		m, ok := getMark(b[:markSize], before.at)
		if !ok || m.at < before.at || m.off < before.off {
			return
		}
		c.near = append(c.near, m)
		before = m
	}
}

// seek goes to the chunk that begins with mark number i-1.
func (c *clock) seek(i int64) {
	c.i = i
	c.at, c.next, c.end = 0, noTime, c.last
	if m, ok := c.mark(i - 1); ok {
		c.at = m.at
	}
	if m, ok := c.mark(i); ok {
		c.next, c.end = m.off, m.at
		if m.ended > 0 {
			c.end = m.ended
		}
	}
}

// to goes on to the chunk of the line at off.
func (c *clock) to(off int64) {
	for off >= c.next {
		c.seek(c.i + 1)
	}
}

// atLatest is a time that no line before the first mark is later than; written is when the last of all was.
func (c *clock) atLatest(written int64) int64 {
	if m, ok := c.mark(0); ok {
		return m.at
	}
	return written
}

// search is sort.Search over the marks.
func (c *clock) search(first func(m mark) bool) int64 {
	return int64(sort.Search(int(c.n), func(i int) bool {
		m, ok := c.mark(int64(i))
		return !ok || first(m)
	}))
}

// toOffset goes to the chunk that off is in, wherever that is.
func (c *clock) toOffset(off int64) {
	c.seek(c.search(func(m mark) bool { return m.off > off }))
}

// since is where the first chunk begins of which something may have been written at ms or after it.
func (c *clock) since(ms int64) (off int64) {
	i := c.search(func(m mark) bool { return m.at >= ms })
	ended := c.last
	m, ok := c.mark(i)
	if ok {
		if ended = m.at; m.ended > 0 {
			ended = m.ended
		}
	}
	if ended >= ms {
		if m, ok := c.mark(i - 1); ok {
			return m.off
		}
		return 0
	}
	if ok {
		return m.off
	}
	return noTime
}

// until is where the first chunk begins that was written after ms.
func (c *clock) until(ms int64) (off int64) {
	if m, ok := c.mark(c.search(func(m mark) bool { return m.at > ms })); ok {
		return m.off
	}
	return noTime
}
