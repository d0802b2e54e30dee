//go:build unix

package shadow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFlags: a name that became a pipe since it was looked at must not hold up the copy.
const openFlags = unix.O_NONBLOCK | unix.O_NOCTTY

// owner is whose a file is.
type owner struct{ uid, gid uint32 }

func ownerOf(fi fs.FileInfo) owner {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return owner{st.Uid, st.Gid}
	}
	return owner{uint32(os.Geteuid()), uint32(os.Getegid())}
}

// give lets a copy belong to whom the original belongs; only root may. Setting an owner clears the bits
// that let a program run as somebody else, so the mode comes after.
func (o owner) give(root *os.Root, name string) {
	if os.Geteuid() == 0 {
		_ = root.Lchown(name, int(o.uid), int(o.gid)) // a file system without owners
	}
}

// runnable reports whether the mode says that a file is a program.
func runnable(_ string, mode fs.FileMode) bool { return mode&0o111 != 0 }

// reach lets another user reach the copies of an owner, though not see what else is in the folders above.
func reach(owner, user string) error {
	if user == "" {
		return nil
	}
	all := filepath.Dir(owner)
	for _, dir := range []string{filepath.Dir(all), all, owner} {
		st, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if st.Mode().Perm()&0o011 != 0o011 {
			if err := os.Chmod(dir, st.Mode().Perm()|0o011); err != nil {
				return err
			}
		}
	}
	return nil
}

// allow has nothing to do: the copies have owner and mode of the originals.
func allow(string, string) error { return nil }

// passing: nobody is in the way of a rename here.
func passing(error) bool { return false }

func writable(*os.Root, string, fs.FileInfo) {}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
