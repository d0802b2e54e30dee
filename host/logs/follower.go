package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"servicehost/host/human"
)

// follower is the reading of one log.
type follower struct {
	File
	f     *os.File // the current file, or what was it
	id    fileID
	size  int64  // of f when its history was looked for
	clock *clock // of f
	// written is when f was written last, where a host may not have put all times into the index yet: it came or
	// was renamed a moment ago, or its writer is busy. 0: what the index doesn't say isn't known.
	written int64
	off     int64
	part    []byte // read of a line whose end isn't there yet
	lastMS  int64  // the newest rotated file that is older than f
	left    int64  // when f was seen to be no longer at Path; 0: it is
}

func (t *follower) close() {
	if t.f != nil {
		t.f.Close()
		t.f = nil
	}
	if t.clock != nil {
		t.clock.close()
	}
}

func (t *follower) failed(err error) error {
	return fmt.Errorf("cannot read log %s of %q: %s", human.Path(t.Path), t.ID, cause(err))
}

// open opens the current file, if there is one, at its beginning.
func (t *follower) open() error {
	t.close()
	f, err := openRead(t.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return t.failed(err)
	}
	info, err := fileInfoOf(f)
	if err != nil {
		f.Close()
		return err
	}
	t.f, t.id, t.off, t.part, t.left = f, info.id, 0, nil, 0
	return nil
}

func (t *follower) setClock(path string) {
	if t.clock != nil {
		t.clock.close()
	}
	t.clock = &clock{next: noTime}
	if t.f != nil {
		t.clock = openClock(path, noTime, noTime)
	}
}

func (t *follower) info() (fileInfo, error) {
	if t.f == nil {
		return fileInfo{}, fs.ErrNotExist
	}
	return fileInfoOf(t.f)
}

// isCurrent reports whether what open found is still so.
func (t *follower) isCurrent() bool {
	info, err := pathInfo(t.Path)
	if err != nil {
		return t.f == nil
	}
	return t.f != nil && info.id == t.id
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

// openCurrent opens the current file and lists what there is beside it then.
func (t *follower) openCurrent() ([]rotated, error) {
	if err := t.open(); err != nil {
		return nil, err
	}
	return settledRotated(t.Path)
}
