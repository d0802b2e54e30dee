//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"servicehost/host/human"
)

func makePrivateDir(path string, mode fs.FileMode, account *string) error {
	fail := func(err error) error { return fmt.Errorf("cannot make folder %s: %w", human.Path(path), err) }
	uid, gid, err := idsOf(account)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fail(err)
	}
	err = os.Mkdir(path, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return check(path, uid)
	case err != nil:
		return fail(err)
	case uid == os.Geteuid():
		return nil
	}
	if err := os.Lchown(path, uid, gid); err != nil {
		return fail(err)
	}
	return nil
}

// idsOf is who an account is: nil is this process, an empty name root.
func idsOf(account *string) (uid, gid int, err error) {
	switch {
	case account == nil:
		return os.Geteuid(), os.Getegid(), nil
	case *account == "":
		return 0, 0, nil
	}
	u, err := user.Lookup(*account)
	if err != nil {
		return 0, 0, err
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

func check(path string, uid int) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot use folder %s: %w", human.Path(path), err)
	}
	if !info.IsDir() {
		return &Unfit{Path: path, Why: "it is not a folder", Hint: "remove it, or name another one"}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if owner := int(st.Uid); owner != 0 && owner != uid {
		return &Unfit{Path: path, Why: fmt.Sprintf("it belongs to user %d, who could change what lies in it", owner),
			Hint: "look at what is in it and change its owner, or name another one"}
	}
	if info.Mode().Perm()&0o002 != 0 {
		return &Unfit{Path: path, Why: fmt.Sprintf("everybody may write into it (mode %#o)", info.Mode().Perm()), Hint: "take that right away with chmod o-w, or name another one"}
	}
	return nil
}

// Long is for Windows; elsewhere a path is what it is.
func Long(path string) string { return path }
