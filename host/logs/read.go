package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"servicehost/host/human"
)

// File is one log to read back.
type File struct {
	ID     string
	Stream string // stdout, stderr
	Path   string // of the current file; the rotated ones are found beside it
}

// Query selects lines.
type Query struct {
	Last   int  // the newest n of each file, of those that match; negative: all
	Follow bool // go on with what is written, over rotations, until the context ends
	Grep   *regexp.Regexp
}

// Line is one line without its end.
type Line struct {
	ID     string
	Stream string
	Text   string
}

// maxLine is where longer lines are cut into several.
const maxLine = 1 << 20

// Read sends the lines of files, oldest first, file by file: raw output has no times by which to merge
// them. With Follow new lines come as they arrive, until ctx ends, which is no error then. Files may
// belong to a running host or to none. An error of send ends it. Missing files have no lines.
func Read(ctx context.Context, files []File, q Query, send func(Line) error) error {
	r := &reader{q: q, send: send, buf: make([]byte, 64<<10)}
	all := make([]*follower, len(files))
	for i, file := range files {
		all[i] = &follower{File: file}
	}
	defer func() {
		for _, t := range all {
			t.close()
		}
	}()
	if !q.Follow {
		// A thousand files aren't opened at once if they need not stay open.
		for some := range slices.Chunk(all, 64) {
			if err := r.histories(ctx, some); err != nil {
				return err
			}
		}
		return nil
	}
	err := r.follow(ctx, all)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// reader is one call of Read.
type reader struct {
	q    Query
	send func(Line) error
	buf  []byte
}

// follower is the reading of one log.
type follower struct {
	File
	f      *os.File // the current file, or what was it
	id     fileID
	off    int64
	part   []byte // read of a line whose end isn't there yet
	lastMS int64  // the newest rotated file that is older than f
	left   int64  // when f was seen to be no longer at Path; 0: it is
}

func (t *follower) close() {
	if t.f != nil {
		t.f.Close()
		t.f = nil
	}
}

// histories sends what is there now. Each folder is listed once for all logs in it.
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
	lists := make(map[string]map[string]found)
	for dir, bases := range folders {
		lists[dir] = listFolder(dir, bases)
	}
	for _, t := range all {
		dir, base := filepath.Dir(t.Path), filepath.Base(t.Path)
		older := lists[dir][base].rotated
		if !t.isCurrent() {
			// Rotated in between, or new.
			var err error
			if older, err = t.openCurrent(); err != nil {
				return err
			}
		}
		if err := r.history(ctx, t, older); err != nil {
			return err
		}
	}
	return nil
}

// history sends the lines of one log. With Follow t is left at the end of the current file, open.
func (r *reader) history(ctx context.Context, t *follower, older []rotated) (err error) {
	if !r.q.Follow {
		defer t.close()
	}
	if n := len(older); n > 0 {
		t.lastMS = older[n-1].ms
	}
	skip := int64(0) // matching lines of older[0] that are too old
	if r.q.Last >= 0 {
		if older, skip, err = r.start(ctx, t, older); err != nil {
			return err
		}
	}
	for i, o := range older {
		if i > 0 {
			skip = 0
		}
		if err := r.whole(ctx, t, o, skip); err != nil {
			return err
		}
	}
	if t.f == nil {
		return nil
	}
	if _, err := r.toEnd(ctx, t, 0); err != nil || r.q.Follow {
		return err
	}
	return r.flush(t)
}

// open opens the current file, if there is one, at its beginning.
func (t *follower) open() error {
	t.close()
	f, err := openRead(t.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read log %s of %q: %s", human.Path(t.Path), t.ID, cause(err))
	}
	info, err := fileInfoOf(f)
	if err != nil {
		f.Close()
		return err
	}
	t.f, t.id, t.off, t.part, t.left = f, info.id, 0, nil, 0
	return nil
}

// isCurrent reports whether what open found is still so.
func (t *follower) isCurrent() bool {
	info, err := pathInfo(t.Path)
	if err != nil {
		return t.f == nil
	}
	return t.f != nil && info.id == t.id
}

// openCurrent opens the current file of a log, if there is one, and lists the rotated files that are
// older: if the log is rotated in between it looks again.
func (t *follower) openCurrent() ([]rotated, error) {
	const tries = 50
	for i := 0; ; i++ {
		if err := t.open(); err != nil {
			return nil, err
		}
		list, err := listRotated(t.Path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the folder of log %s of %q: %s", human.Path(t.Path), t.ID, cause(err))
		}
		if t.isCurrent() {
			return list, nil
		}
		if i == tries {
			return t.olderOf(list), nil
		}
	}
}

// olderOf is the part of list that is older than what t has open, if that is in it.
func (t *follower) olderOf(list []rotated) []rotated {
	for i := len(list) - 1; i >= 0 && t.f != nil; i-- {
		if t.isOwn(list[i]) || t.wasOwn(list[i]) {
			return list[:i]
		}
	}
	return list
}

// isOwn reports whether o is the file that t has open.
func (t *follower) isOwn(o rotated) bool {
	if o.form&formPlain == 0 {
		return false
	}
	info, err := pathInfo(rotatedPath(t.Path, o.ms, formPlain))
	return err == nil && info.id == t.id
}

// wasOwn reports whether o is the file that t has open, compressed meanwhile: it is as long and begins
// like it.
func (t *follower) wasOwn(o rotated) bool {
	info, err := fileInfoOf(t.f)
	if err != nil {
		return false
	}
	name, ok := packedAs(t.Path, o.ms, info.size)
	if !ok {
		return false
	}
	z, err := openPacked(name)
	if err != nil {
		return false
	}
	defer z.Close()
	theirs := make([]byte, min(info.size, 64<<10))
	ours := make([]byte, len(theirs))
	if _, err := io.ReadFull(z, theirs); err != nil {
		return false
	}
	n, _ := t.f.ReadAt(ours, 0)
	return bytes.Equal(ours[:n], theirs)
}

// start finds where the last lines begin: what of older has to be read, the matching lines to leave
// out of the first of these, and t.off.
func (r *reader) start(ctx context.Context, t *follower, older []rotated) ([]rotated, int64, error) {
	want := int64(r.q.Last)
	if t.f != nil {
		info, err := fileInfoOf(t.f)
		if err != nil {
			return nil, 0, err
		}
		off, n, err := lastLines(t.f, info.size, want, r.matches)
		if err != nil {
			return nil, 0, err
		}
		t.off = off
		want -= n
	}
	for i := len(older) - 1; i >= 0 && want > 0; i-- {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		n, err := r.count(ctx, t, older[i])
		if err != nil {
			return nil, 0, err
		}
		if n >= want {
			return older[i:], n - want, nil
		}
		want -= n
		if i == 0 {
			return older, 0, nil
		}
	}
	if want > 0 {
		return older, 0, nil
	}
	return nil, 0, nil
}

func (r *reader) matches(line []byte) bool { return r.q.Grep == nil || r.q.Grep.Match(line) }
