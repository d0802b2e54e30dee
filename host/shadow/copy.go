package shadow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"servicehost/host/human"
)

// entry is what is copied of one name.
type entry struct {
	mode    fs.FileMode
	size    int64
	time    time.Time
	link    string // where it leads, relative to its folder
	changed int64  // of the last change of any kind; 0 where the system does not say
	owner   owner
}

// tree is a folder by slash-less local path.
type tree map[string]entry

// copier makes one copy. What changed while it was copied is copied again.
type copier struct {
	store    *Store
	src      Source
	real     string
	from, to *os.Root
	own      fs.FileInfo // the folder of all copies
	done     tree        // as it was when it was copied
}

// rounds bounds how often what changed meanwhile is copied again.
const rounds = 8

func (c *copier) run(ctx context.Context) error {
	pause := c.store.pause
	for round := range rounds {
		if round > 1 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
			pause = min(2*pause, 10*c.store.pause)
		}
		now, err := c.scan(ctx)
		if err != nil {
			return err
		}
		changed := c.changed(now)
		if round > 0 && (len(changed) == 0 || round == rounds-1 && !slices.ContainsFunc(changed, c.matters)) {
			return c.finish()
		}
		for _, name := range changed {
			e, there := now[name]
			if err := c.take(ctx, name, e, there); err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					delete(c.done, name) // gone between two looks; the next one sees that
					continue
				}
				return err
			}
		}
	}
	return ErrChanged
}

// changed lists what the copy lacks, has too much or has of an earlier time; folders stand before what
// is in them.
func (c *copier) changed(now tree) []string {
	var out []string
	for name, e := range now {
		if was, ok := c.done[name]; !ok || was != e {
			out = append(out, name)
		}
	}
	for name := range c.done {
		if _, ok := now[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// matters reports whether the copy must not be used while a file is being written. Data that a program
// keeps beside itself may be.
func (c *copier) matters(name string) bool {
	if _, asked := c.src.Content[filepath.Join(filepath.Dir(c.src.Program), name)]; asked {
		return true
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".exe", ".dll", ".so", ".jar":
		return true
	}
	return c.done[name].mode.IsRegular() && runnable(name, c.done[name].mode)
}

// scan looks at the whole folder. Sockets and the like are left out.
func (c *copier) scan(ctx context.Context) (tree, error) {
	t := tree{}
	var bytes int64
	shown := filepath.Dir(c.src.Program)
	err := fs.WalkDir(c.from.FS(), ".", func(slashed string, d fs.DirEntry, err error) error {
		name := filepath.FromSlash(slashed)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case name == "." && err == nil:
			return nil
		case c.src.Exclude(filepath.Join(shown, name)) || c.src.Exclude(filepath.Join(c.real, name)):
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		fi, err := c.from.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if fi.IsDir() && os.SameFile(fi, c.own) {
			return fs.SkipDir // the copies themselves, under whatever name
		}
		e := entry{mode: fi.Mode(), owner: ownerOf(fi)}
		switch {
		case fi.IsDir():
		case fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0:
			if e.link, err = c.link(name); err != nil {
				return err
			}
		case fi.Mode().IsRegular():
			e.size, e.time, e.changed = fi.Size(), fi.ModTime(), changeTime(fi)
			bytes += e.size
		default:
			return nil
		}
		t[name] = e
		if len(t) > c.store.maxFiles {
			return fmt.Errorf("it holds more than %d files; a program with a shadow copy needs a folder of its own", c.store.maxFiles)
		}
		if bytes > c.store.maxBytes {
			return fmt.Errorf("it holds more than %d MiB; a program with a shadow copy needs a folder of its own", c.store.maxBytes>>20)
		}
		return nil
	})
	return t, err
}

// link returns where a link leads, which has to be within the folder: a copy that led back to the
// original, or anywhere else, would not be one.
func (c *copier) link(name string) (string, error) {
	target, err := c.from.Readlink(name)
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(name)
	if filepath.IsAbs(target) {
		if target, err = filepath.Rel(filepath.Join(c.real, dir), target); err != nil {
			target = ".."
		}
	}
	inside := filepath.IsLocal(filepath.Join(dir, target))
	if end, err := filepath.EvalSymlinks(filepath.Join(c.real, name)); err == nil { // by way of other links
		rel, err := filepath.Rel(c.real, end)
		inside = inside && err == nil && filepath.IsLocal(rel)
	}
	if !inside {
		return "", fmt.Errorf("the link %s leads out of it", human.Path(name))
	}
	return target, nil
}

// take makes one name in the copy what it is in the folder.
func (c *copier) take(ctx context.Context, name string, e entry, there bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if was, ok := c.done[name]; ok && (!there || was.mode.Type() != e.mode.Type() || !e.mode.IsDir()) {
		if err := remove(c.to, name); err != nil {
			return err
		}
	}
	if !there {
		delete(c.done, name)
		return nil
	}
	var err error
	switch {
	case e.mode.IsDir():
		if err = c.to.Mkdir(name, 0o700); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	case e.link != "":
		if err = c.to.Symlink(e.link, name); err == nil {
			e.owner.give(c.to, name)
		}
	default:
		err = c.file(ctx, name, e)
	}
	if err == nil {
		c.done[name] = e
	}
	return err
}

func (c *copier) file(ctx context.Context, name string, e entry) error {
	in, err := c.from.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := c.to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if !clone(out, in) {
		_, err = io.Copy(out, &interruptible{ctx, in})
	}
	if err == nil {
		err = flush(out)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	e.owner.give(c.to, name)
	if err := c.to.Chtimes(name, e.time, e.time); err != nil {
		return err
	}
	return c.to.Chmod(name, e.mode.Perm()) // no copy runs as somebody else than who starts it
}

type interruptible struct {
	ctx context.Context
	f   *os.File
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.f.Read(p)
}

// finish checks the content and gives the folders their modes, which might have kept files from being made.
func (c *copier) finish() error {
	folder := filepath.Dir(c.src.Program)
	for path, want := range c.src.Content {
		name, err := filepath.Rel(folder, path)
		if err != nil || !filepath.IsLocal(name) {
			continue
		}
		if got, err := hashOf(c.to, name); err != nil || got != want {
			return errors.Join(ErrChanged, err)
		}
	}
	if _, err := c.to.Lstat(filepath.Base(c.src.Program)); err != nil {
		return ErrChanged
	}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(c.done))) {
		if e := c.done[name]; e.mode.IsDir() {
			e.owner.give(c.to, name)
			if err := c.to.Chmod(name, e.mode.Perm()); err != nil {
				return err
			}
		}
	}
	st, err := c.from.Stat(".")
	if err != nil {
		return err
	}
	ownerOf(st).give(c.to, ".")
	return c.to.Chmod(".", st.Mode().Perm()|0o700)
}

func hashOf(root *os.Root, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
