//go:build unix

package upgrade

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// swap makes the new executable the present one and keeps the former. There is one at the path at any
// moment: the former gets a second name, then the new one takes the first in one step.
func swap(exe string, _ func(phase)) error {
	old := oldPath(exe)
	if err := remove(old); err != nil {
		return err
	}
	if err := os.Link(exe, old); err != nil {
		if err := copyFile(exe, old); err != nil { // a file system without second names
			return errors.Join(err, remove(old))
		}
	}
	if err := syncDir(exe); err != nil {
		return err
	}
	if err := os.Rename(newPath(exe), exe); err != nil {
		return err
	}
	return syncDir(exe)
}

// unswap makes the former executable the present one again.
func unswap(exe string) error {
	if err := os.Rename(oldPath(exe), exe); err != nil {
		return err
	}
	return errors.Join(syncDir(exe), remove(newPath(exe)))
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if e := out.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return protectLike(to, from)
}

func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// protectLike gives a file owner and mode of another one.
func protectLike(path, model string) error {
	info, err := os.Stat(model)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return os.Chmod(path, 0o755)
		}
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Lchown(path, int(st.Uid), int(st.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return os.Chmod(path, info.Mode().Perm()|0o100) // a change of owner takes the rest of the mode away
}
