package upgrade

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// swap makes the new executable the present one and keeps the former. A running one can be renamed but
// not replaced, so for a moment there is none at the path: the two renames follow one another at once.
func swap(exe string, at func(phase)) error {
	prune(exe)
	if err := clear(oldPath(exe)); err != nil {
		return err
	}
	if err := move(exe, oldPath(exe)); err != nil {
		return err
	}
	if at != nil {
		at(aside)
	}
	if err := move(newPath(exe), exe); err != nil {
		return errors.Join(err, move(oldPath(exe), exe))
	}
	return nil
}

// unswap makes the former executable the present one again.
func unswap(exe string) error {
	if _, err := os.Lstat(exe); err == nil {
		if err := clear(newPath(exe)); err != nil {
			return err
		}
		if err := move(exe, newPath(exe)); err != nil {
			return err
		}
	}
	if err := move(oldPath(exe), exe); err != nil {
		return err
	}
	_ = clear(newPath(exe)) // it goes with the next upgrade if something runs it still
	return nil
}

// patience is how long a scanner that has the file open is waited for.
const patience = 3 * time.Second

// move renames durably.
func move(from, to string) error {
	f, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	t, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := windows.MoveFileEx(f, t, windows.MOVEFILE_WRITE_THROUGH)
		if err == nil {
			return nil
		}
		transient := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !transient || time.Now().After(end) {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
	}
}

// clear makes a name free. A file that still runs gets another name, and is removed by a later upgrade.
func clear(path string) error {
	err := os.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return move(path, fmt.Sprintf("%s.%d", path, time.Now().UnixMilli()))
}

func remove(path string) error { return clear(path) }

// prune removes what clear left behind, as far as it runs no more.
func prune(exe string) {
	names, err := os.ReadDir(filepath.Dir(exe))
	if err != nil {
		return
	}
	base := strings.ToLower(filepath.Base(exe))
	for _, n := range names {
		name := strings.ToLower(n.Name())
		for _, p := range [...]string{oldPath(base), newPath(base)} {
			if rest, ok := strings.CutPrefix(name, p+"."); ok && strings.Trim(rest, "0123456789") == "" {
				_ = os.Remove(filepath.Join(filepath.Dir(exe), n.Name()))
			}
		}
	}
}

// protectLike gives a file the access list of another one, which an administrator may have narrowed.
func protectLike(path, model string) error {
	sd, err := windows.GetNamedSecurityInfo(model, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return nil // the folder's own will do
	}
	if err != nil {
		return fmt.Errorf("cannot read who may use %s: %w", model, err)
	}
	control, _, err := sd.Control()
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return nil //nolint:nilerr // it has none: everybody may do anything, which isn't to be copied
	}
	info := windows.SECURITY_INFORMATION(windows.DACL_SECURITY_INFORMATION | windows.UNPROTECTED_DACL_SECURITY_INFORMATION)
	if control&windows.SE_DACL_PROTECTED != 0 {
		info = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	}
	if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, info, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("cannot set who may use %s: %w", path, err)
	}
	return nil
}
