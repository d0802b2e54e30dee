package reload

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// checkout is a work tree with the folders that belong to it and to all work trees of its repository.
type checkout struct {
	dir         string // where its files are
	own, common *os.Root
}

func (g checkout) close() {
	g.own.Close()
	g.common.Close()
}

// openGit opens the work tree that path lies in.
func openGit(path string) (checkout, bool) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return checkout{}, false
	}
	for dir := abs; ; {
		if own, ok := openGitIn(dir); ok {
			common, err := openCommon(own)
			if err != nil {
				own.Close()
				return checkout{}, false
			}
			return checkout{dir, own, common}, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return checkout{}, false
		}
		dir = up
	}
}

// openGitIn opens dir/.git, or what a file of that name refers to: that is how work trees beside the
// first one and submodules are laid.
func openGitIn(dir string) (*os.Root, bool) {
	path := filepath.Join(dir, ".git")
	fi, err := os.Lstat(path)
	if err == nil && fi.Mode().IsRegular() {
		var ok bool
		if path, ok = pointedTo(dir, path); !ok {
			return nil, false
		}
		fi, err = os.Lstat(path)
	}
	if err != nil || !fi.IsDir() {
		return nil, false
	}
	root, err := os.OpenRoot(path)
	return root, err == nil
}

// pointedTo reads the file .git. A stranger's must not make us read any folder it likes: it has to be
// one that git keeps for work trees or submodules.
func pointedTo(dir, path string) (string, bool) {
	target, ok := readPointer(path, "gitdir:")
	if !ok {
		return "", false
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	inWorktrees := filepath.Base(filepath.Dir(target)) == "worktrees"
	return target, inWorktrees || strings.Contains(filepath.ToSlash(target), "/modules/")
}

func openCommon(own *os.Root) (*os.Root, error) {
	text, err := readSmall(own, "commondir", maxRefFile)
	if errors.Is(err, os.ErrNotExist) {
		return os.OpenRoot(own.Name())
	}
	if err != nil {
		return nil, err
	}
	// Git writes ../.. here: the folder above worktrees/NAME.
	target := strings.TrimRight(string(text), "\r\n")
	if !filepath.IsAbs(target) {
		target = filepath.Join(own.Name(), target)
	}
	if filepath.Clean(target) != filepath.Dir(filepath.Dir(own.Name())) {
		return nil, errors.New("commondir leads elsewhere")
	}
	return os.OpenRoot(target)
}

func readPointer(path, key string) (string, bool) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return "", false
	}
	defer root.Close()
	text, err := readSmall(root, filepath.Base(path), maxRefFile)
	if err != nil {
		return "", false
	}
	value, ok := bytes.CutPrefix(text, []byte(key))
	target := strings.TrimSpace(string(value))
	return target, ok && target != "" && !strings.ContainsAny(target, "\n\x00")
}

// readSmall reads a regular file of at most most bytes.
func readSmall(root *os.Root, name string, most int64) ([]byte, error) {
	fi, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() || fi.Size() > most {
		return nil, errors.New("not a small file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
