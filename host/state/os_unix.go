//go:build unix

package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const noFollow = unix.O_NOFOLLOW

func makePrivate(dir string) error { return os.Mkdir(dir, 0o700) }

// unfit says why a folder must not hold the state: whoever may write into it decides what the host runs.
func unfit(fi fs.FileInfo) (why, hint string) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return "", ""
	}
	if uid := os.Geteuid(); int64(st.Uid) != int64(uid) {
		return fmt.Sprintf("it belongs to user %d, this host runs as user %d", st.Uid, uid), "change its owner or set host.state_dir"
	}
	if fi.Mode().Perm()&0o022 != 0 {
		return fmt.Sprintf("others may write into it (mode %#o)", fi.Mode().Perm()), "chmod 700 it"
	}
	return "", ""
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// alive reports whether the process lives that had this PID when it was born then.
func alive(pid int, born string) bool {
	if err := unix.Kill(pid, 0); err != nil && !errors.Is(err, unix.EPERM) {
		return false
	}
	now := processBorn(pid)
	return now != processDead && (now == "" || born == "" || now == born)
}
