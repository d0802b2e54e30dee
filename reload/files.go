package reload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"servicehost/host/human"
)

// MaxWatched is the number of files from which on a watched folder is refused.
const MaxWatched = 50_000

// fileStamp tells cheaply that a file was not touched.
type fileStamp struct {
	size    int64
	time    time.Time
	id      uint64
	changed time.Time // zero where the system does not say
}

// last is when the file was written last, as far as the stamp tells.
func (s fileStamp) last() time.Time {
	if s.changed.After(s.time) {
		return s.changed
	}
	return s.time
}

func (s fileStamp) equal(o fileStamp) bool {
	return s.size == o.size && s.id == o.id && s.time.Equal(o.time) && s.changed.Equal(o.changed)
}

// listing is what lies at the watched paths, by path.
type listing struct {
	files   map[string]fileStamp
	folders []string // every folder that belongs to it
	missing []string // watched paths at which nothing is
}

func (l *listing) equal(o *listing) bool {
	if o == nil || len(l.files) != len(o.files) || !slices.Equal(l.missing, o.missing) {
		return false
	}
	for path, s := range l.files {
		if was, ok := o.files[path]; !ok || !s.equal(was) {
			return false
		}
	}
	return true
}

// list looks at the watched paths, into folders but through no link in them, without reading a file.
func list(paths []string, exclude func(string) bool) (*listing, error) {
	l := &listing{files: map[string]fileStamp{}}
	for _, path := range paths {
		fi, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			l.missing = append(l.missing, path)
		case err != nil:
			return nil, fmt.Errorf("cannot look at the watched path %s: %w", human.Path(path), unwrapPath(err))
		case fi.IsDir():
			if err := l.folder(path, exclude); err != nil {
				return nil, err
			}
		default:
			l.add(path, fi)
		}
	}
	return l, nil
}

func (l *listing) add(path string, fi fs.FileInfo) {
	s := fileStamp{size: fi.Size(), time: fi.ModTime()}
	s.id, s.changed = fileIdentity(path, fi)
	l.files[path] = s
}

func (l *listing) folder(top string, exclude func(string) bool) error {
	return filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if exclude(path) {
			if e != nil && e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone between two looks
		}
		if err != nil {
			return fmt.Errorf("cannot look at the watched folder %s: %w", human.Path(path), unwrapPath(err))
		}
		if e.IsDir() {
			l.folders = append(l.folders, path)
		} else if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
			if len(l.files) >= MaxWatched {
				return fmt.Errorf("the watched folder %s holds more than %d files; name the files that matter", human.Path(top), MaxWatched)
			}
			l.add(path, fi)
		}
		return nil
	})
}

// unwrapPath leaves out what the message around it says.
func unwrapPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// hashWhole is the hash of a file of any size. It gives up when ctx ends.
func hashWhole(ctx context.Context, path string) (string, error) {
	f, err := openShared(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h, buf := sha256.New(), make([]byte, 256<<10)
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return "", err
		}
	}
}
