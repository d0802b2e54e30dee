// Package shadow keeps copies of programs' folders, so that the originals can be overwritten while the
// programs run. It knows nothing of services: what it copies, and which copies are needed, it is told.
package shadow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
)

// Limits of what is copied. Beyond them the folder is not one program's.
const (
	DefaultMaxBytes = 2 << 30
	DefaultMaxFiles = 50_000
)

// Store is a folder of copies. It makes one copy at a time. Its methods may be called from any goroutine.
type Store struct {
	dir      string
	maxBytes int64
	maxFiles int
	pause    time.Duration

	mu sync.Mutex // held while the folder is changed
}

// Source says what to copy.
type Source struct {
	// Owner is the name under which the copy is filed, ID its own; both fit for a file name.
	Owner, ID string
	// Program is the absolute path of a program: its folder is copied.
	Program string
	// Content are the hashes of files by absolute path, as they have to be found in the copy where they
	// lie in the folder.
	Content map[string]string
	// Exclude names what is not copied.
	Exclude func(path string) bool
	// User is who has to be able to run the copy; empty: whoever the host is.
	User string
}

// ErrChanged is the error of a copy whose source is no longer what was asked for, or does not come to rest.
var ErrChanged = errors.New("its files changed while they were copied")

// Open returns the store in dir, which need not exist yet.
func Open(dir string) *Store {
	return &Store{dir: dir, maxBytes: DefaultMaxBytes, maxFiles: DefaultMaxFiles, pause: 500 * time.Millisecond}
}

// Dir is the folder of all copies.
func (s *Store) Dir() string { return s.dir }

// Find returns the program in a copy that is already there.
func (s *Store) Find(src Source) (program string, ok bool) {
	program = s.place(src)
	st, err := os.Lstat(program)
	return program, err == nil && !st.IsDir()
}

func (s *Store) place(src Source) string {
	return filepath.Join(s.dir, src.Owner, src.ID, filepath.Base(src.Program))
}

// Make copies the folder of the program, or finds the copy, and returns the program in it. A copy that is
// torn or out of step with Content is never returned.
func (s *Store) Make(ctx context.Context, src Source) (program string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if program, ok := s.Find(src); ok {
		return program, nil
	}
	if err := s.make(ctx, src); err != nil {
		return "", fmt.Errorf("cannot make a shadow copy of %s: %w", human.Path(filepath.Dir(src.Program)), plain(err))
	}
	return s.place(src), nil
}

// partial begins the name of a copy that is not complete.
const partial = ".partial-"

func (s *Store) make(ctx context.Context, src Source) error {
	owner := filepath.Join(s.dir, src.Owner)
	if err := os.MkdirAll(owner, 0o700); err != nil {
		return err
	}
	if err := reach(owner, src.User); err != nil {
		return err
	}
	root, err := os.OpenRoot(owner)
	if err != nil {
		return err
	}
	defer root.Close()
	temp := partial + src.ID
	if err := remove(root, temp); err != nil {
		return err
	}
	if err := root.Mkdir(temp, 0o700); err != nil {
		return err
	}
	err = s.fill(ctx, root, temp, src)
	if err == nil {
		err = allow(filepath.Join(owner, temp), src.User)
	}
	if err == nil {
		err = settle(filepath.Join(owner, temp))
	}
	if err == nil {
		err = rename(root, temp, src.ID)
	}
	if err == nil {
		return syncDir(owner)
	}
	return errors.Join(err, remove(root, temp))
}

func (s *Store) fill(ctx context.Context, root *os.Root, temp string, src Source) error {
	to, err := root.OpenRoot(temp)
	if err != nil {
		return err
	}
	defer to.Close()
	// Where the folder is a link to one release, that one release is copied.
	real, err := filepath.EvalSymlinks(filepath.Dir(src.Program))
	if err != nil {
		return err
	}
	from, err := os.OpenRoot(real)
	if err != nil {
		return err
	}
	defer from.Close()
	own, err := os.Stat(s.dir)
	if err != nil {
		return err
	}
	c := &copier{store: s, src: src, real: real, from: from, to: to, own: own, done: tree{}}
	return c.run(ctx)
}

// Prune deletes the copies in which none of the programs lies that are kept. It returns how many could
// not be deleted yet: on Windows a program that runs can't.
func (s *Store) Prune(keep []string) (left int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	root, err := os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer root.Close()
	owners, err := names(root, ".")
	if err != nil {
		return 0, err
	}
	for _, owner := range owners {
		copies, err := names(root, owner)
		if err != nil {
			continue // no folder of ours
		}
		kept := 0
		for _, id := range copies {
			dir := filepath.Join(s.dir, owner, id)
			if slices.ContainsFunc(keep, func(p string) bool { return strings.EqualFold(filepath.Dir(p), dir) }) {
				kept++
				continue
			}
			if discard(root, owner, id) != nil {
				left++
			}
		}
		if kept == 0 {
			_ = root.Remove(owner) // not empty where something is left
		}
	}
	return left, nil
}

// discard deletes one copy. It gets another name first: what could be deleted in part only must not be
// found as a copy.
func discard(root *os.Root, owner, id string) error {
	name := filepath.Join(owner, id)
	if !strings.HasPrefix(id, partial) {
		aside := filepath.Join(owner, partial+id)
		if err := remove(root, aside); err != nil {
			return err
		}
		if err := root.Rename(name, aside); err != nil {
			return err
		}
		name = aside
	}
	return remove(root, name)
}

// plain is an error without the path that the message around it names.
func plain(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok && p.Path == "." {
		return p.Err
	}
	return err
}

// rename tries for a while: on Windows whoever looks at new files, as virus scanners do, is in the way.
func rename(root *os.Root, from, to string) (err error) {
	for range 20 {
		if err = root.Rename(from, to); err == nil || !passing(err) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func names(root *os.Root, dir string) ([]string, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// remove deletes a file or a folder with all in it, through no link. What is not there is deleted.
func remove(root *os.Root, name string) error {
	st, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.IsDir() {
		if st.Mode().Perm()&0o700 != 0o700 {
			_ = root.Chmod(name, 0o700) // else nothing in it can be deleted
		}
		inside, err := names(root, name)
		if err != nil {
			return err
		}
		for _, n := range inside {
			if err := remove(root, filepath.Join(name, n)); err != nil {
				return err
			}
		}
	} else {
		writable(root, name, st)
	}
	return root.Remove(name)
}
