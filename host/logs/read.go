package logs

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"servicehost/spec"
)

// File is one log to read back.
type File struct {
	ID     string
	Stream string // stdout, stderr
	Path   string // of the current file; the rotated ones are found beside it
	Format spec.LogFormat
}

// Query selects lines.
type Query struct {
	Last   int  // the newest n of each ID, of those that are selected; negative: all
	Follow bool // go on with what is written, over rotations, until the context ends
	Grep   *regexp.Regexp
	Stream string // stdout, stderr or host; empty: all
	// Since and Until are of raw logs to a second. What can't be told is shown. Zero is no limit.
	Since, Until time.Time
	// Raw has Text be what is in the file, also where that is made of records.
	Raw bool
	// Flush is FlushIndexes of the Set that writes the files, if one does.
	Flush func()
}

// Line is one line without its end; where log.multiline joined some in a json log, these.
type Line struct {
	ID     string
	Stream string
	Time   time.Time // zero: not known; of raw logs to a second
	Text   string
}

// Read sends the lines of files by time; what is of one log keeps its order. With Follow new lines come as they
// arrive, until ctx or the time of the query ends, which is no error then. Files may belong to a running host or
// to none. An error of send ends it; one of reading a file is returned when all else was sent. Missing files
// have no lines.
func Read(ctx context.Context, files []File, q Query, send func(Line) error) error {
	r := &reader{q: q, send: send, surplus: make(map[string]int64)}
	r.since, r.until = millis(q.Since), millis(q.Until)
	// A thousand logs at a time take no more memory than a few do.
	r.bufSize = min(max((4<<20)/max(1, len(files)), 4<<10), 64<<10)
	all := make([]*follower, len(files))
	for i, file := range files {
		all[i] = &follower{File: file}
	}
	defer func() {
		for _, t := range all {
			t.close()
		}
	}()
	if q.Follow && !q.Until.IsZero() {
		if left := time.Until(q.Until); left > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, q.Until)
			defer cancel()
		} else {
			r.q.Follow = false
		}
	}
	if !r.q.Follow {
		if err := r.histories(ctx, all); err != nil {
			return err
		}
		return r.trouble
	}
	r.buf = make([]byte, 64<<10)
	err := r.follow(ctx, all)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// reader is one call of Read.
type reader struct {
	q            Query
	since, until int64 // Unix milliseconds, 0: no limit
	send         func(Line) error
	buf          []byte           // for what is followed
	bufSize      int              // of each log
	surplus      map[string]int64 // by ID: of the lines found so many are too old
	trouble      error            // of a file that could not be read
}

// histories sends what is there now. Each folder is listed for all logs in it.
func (r *reader) histories(ctx context.Context, all []*follower) error {
	folders := make(map[string]map[string]bool)
	for _, t := range all {
		dir, base := filepath.Dir(t.Path), filepath.Base(t.Path)
		if folders[dir] == nil {
			folders[dir] = make(map[string]bool)
		}
		folders[dir][base] = true
		if err := t.open(); err != nil {
			return err
		}
	}
	if r.q.Flush != nil {
		r.q.Flush()
	}
	lists := make(map[string]map[string]found)
	for dir, bases := range folders {
		lists[dir] = listFolder(dir, bases)
		// A file that is renamed while a folder is read can be missed, hardly twice.
		for base, again := range listFolder(dir, bases) {
			here := lists[dir][base]
			for _, o := range again.rotated {
				here.rotated = mergeRotated(here.rotated, o)
			}
			lists[dir][base] = here
		}
	}
	found := make(map[string]int64)
	var cursors []*cursor
	for _, t := range all {
		older, err := t.settle(lists[filepath.Dir(t.Path)][filepath.Base(t.Path)].rotated)
		if err != nil {
			return err
		}
		c, n, err := r.history(ctx, t, older)
		if err != nil {
			return err
		}
		found[t.ID] += n
		cursors = append(cursors, c)
	}
	if r.q.Last >= 0 {
		for id, n := range found {
			r.surplus[id] = n - int64(r.q.Last)
		}
	}
	return r.merge(ctx, cursors)
}

// history finds where in one log to begin, and how many lines the query selects if it is the newest ones.
func (r *reader) history(ctx context.Context, t *follower, older []rotated) (c *cursor, n int64, err error) {
	t.lastMS = 0
	if n := len(older); n > 0 {
		t.lastMS = older[n-1].ms
	}
	if t.f != nil {
		info, err := t.f.Stat()
		if err != nil {
			return nil, 0, err
		}
		t.size = info.Size()
		if t.clock.lastOff > t.size {
			t.clock.forget() // of what was there before
		}
		// Who writes has noted when, and Windows may not tell before he closes the file.
		t.clock.last = noTime
		if t.Format == spec.FormatRaw && (t.clock.n == 0 || r.q.Flush == nil) {
			t.clock.last = info.ModTime().Add(time.Second).UnixMilli()
		}
		t.clock.seek(0)
		if t.Format == spec.FormatRaw && (r.q.Follow || r.q.Flush != nil) {
			t.written = min(info.ModTime().UnixMilli(), time.Now().UnixMilli())
		}
	}
	c = &cursor{t: t, older: older, cur: t.f != nil}
	if r.q.Last >= 0 {
		if n, err = r.start(ctx, c); err != nil {
			return nil, 0, err
		}
	}
	c.at = r.floor(c, older)
	return c, n, nil
}

// floor is a time that none of the lines of c is older than: of all files but the first one of a log it is known.
func (r *reader) floor(c *cursor, older []rotated) (at int64) {
	if len(c.older) == 0 {
		if len(older) > 0 {
			at = older[len(older)-1].ms
		}
		if c.cur {
			c.t.clock.toOffset(c.from)
			at = max(at, c.t.clock.at)
		}
		return at
	}
	first := c.older[0].ms
	for _, o := range older {
		if o.ms >= first {
			break
		}
		at = o.ms
	}
	if at == 0 {
		index := openClock(rotatedPath(c.t.Path, first, formPlain), noTime, noTime)
		defer index.close()
		if m, ok := index.mark(0); ok && m.off == 0 {
			at = m.at
		}
	}
	return at
}

// start has c begin with the last lines, and returns how many there are.
func (r *reader) start(ctx context.Context, c *cursor) (total int64, err error) {
	t, older := c.t, c.older
	want := int64(r.q.Last)
	c.older = nil
	if c.cur {
		lo, hi := r.bounds(t, t.f, t.size, t.clock)
		off, n, err := lastLines(t.f, lo, hi, want, r.matcher(t, t.clock))
		if err != nil {
			return 0, t.failed(err)
		}
		c.from = off
		total, want = n, want-n
	}
	for i := len(older) - 1; i >= 0 && want > 0 && older[i].ms >= r.since; i-- {
		if r.until > 0 && i > 0 && older[i-1].ms > r.until {
			older = older[:i]
			continue
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		from, n, err := r.lastOf(ctx, t, older[i], want)
		if err != nil && ctx.Err() != nil {
			return 0, err
		}
		c.older = older[i:]
		c.from, c.skip = from, max(0, n-want)
		total += min(n, want)
		want -= n
	}
	return total, nil
}

// lastOf finds the last want lines of a rotated file: where they begin and how many there are. Of a compressed
// one all are counted.
func (r *reader) lastOf(ctx context.Context, t *follower, o rotated, want int64) (from, n int64, err error) {
	plain := rotatedPath(t.Path, o.ms, formPlain)
	if f, err := openRead(plain); err == nil {
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return 0, 0, err
		}
		c := openClock(plain, info.Size(), o.ms)
		defer c.close()
		lo, hi := r.bounds(t, f, info.Size(), c)
		return lastLines(f, lo, hi, want, r.matcher(t, c))
	}
	s, err := r.rotatedSegment(t, o, 0, 0)
	if s == nil {
		return 0, 0, err
	}
	defer s.close()
	for {
		err := s.next(ctx)
		if errors.Is(err, io.EOF) {
			return 0, n, nil
		}
		if err != nil {
			return 0, n, err
		}
		n++
	}
}

// settle finds which of the rotated files are older than what t has open: of one moment, also while the log is
// rotated as fast as it can be. list was made after t was opened.
func (t *follower) settle(list []rotated) ([]rotated, error) {
	const tries, patience = 50, 3
	for i := 0; ; i++ {
		t.setClock(t.Path)
		if t.isCurrent() {
			if t.f != nil || len(list) == 0 {
				return list, nil
			}
			// There was no current file and is none now, but one may have come and gone while the list was made.
			again, err := settledRotated(t.Path)
			if err != nil {
				return nil, t.failed(err)
			}
			if i == tries || !anyNew(list, again) {
				return list, nil
			}
			list = again
			continue
		}
		if n, ok := t.among(list); ok {
			t.setClock(rotatedPath(t.Path, list[n].ms, formPlain))
			return list[:n], nil
		}
		if i == tries {
			t.close()
			return list, nil
		}
		// It is gone already, somebody else has moved it, or it was missed in the list.
		if info, err := t.info(); err != nil || info.gone || i >= patience {
			if err := t.open(); err != nil {
				return nil, err
			}
		}
		var err error
		if list, err = settledRotated(t.Path); err != nil {
			return nil, t.failed(err)
		}
	}
}

// among returns which of list is the file that t has open.
func (t *follower) among(list []rotated) (int, bool) {
	if t.f == nil {
		return 0, false
	}
	for i, o := range slices.Backward(list) {
		if t.isOwn(o) {
			return i, true
		}
	}
	for i, o := range slices.Backward(list) {
		if t.wasOwn(o) {
			return i, true
		}
	}
	return 0, false
}

// anyNew reports whether something in again is not in list; both are ordered.
func anyNew(list, again []rotated) bool {
	for _, o := range again {
		for len(list) > 0 && list[0].ms < o.ms {
			list = list[1:]
		}
		if len(list) == 0 || list[0].ms != o.ms {
			return true
		}
	}
	return false
}
