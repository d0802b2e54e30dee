//go:build unix

package doctor

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"servicehost/host/human"
	"servicehost/host/requires"
	"servicehost/spec"
)

// writers says who may change a file or folder besides root, its owner and its group; empty: nobody. A folder
// with the sticky bit is one where each may change only what is his.
func writers(path string) (who, hint string) {
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm()&0o002 == 0 || st.IsDir() && st.Mode()&os.ModeSticky != 0 {
		return "", ""
	}
	return fmt.Sprintf("everybody (mode %#o)", st.Mode().Perm()), "chmod o-w " + human.Path(path)
}

// readers says who may read a file besides root, its owner and its group; empty: nobody.
func readers(path string) (who, hint string) {
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm()&0o004 == 0 {
		return "", ""
	}
	return fmt.Sprintf("everybody (mode %#o)", st.Mode().Perm()), "chmod 600 " + human.Path(path)
}

func groupThere(name string) error {
	_, err := requires.LookupGroup(name)
	return err
}

// account says why a service can't be run as its user.
func account(s *spec.Service) (problem, hint string) {
	uid, gid := os.Geteuid(), os.Getegid()
	if s.User != "" {
		u, err := requires.LookupUser(s.User)
		if err != nil {
			return err.Error(), "make it, or name another"
		}
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
	}
	if s.Group != "" {
		g, err := requires.LookupGroup(s.Group)
		if err != nil {
			return err.Error(), "make it, or name another"
		}
		gid, _ = strconv.Atoi(g.Gid)
	}
	if os.Geteuid() != 0 && (uid != os.Geteuid() || gid != os.Getegid()) {
		return fmt.Sprintf("%q can't be started as another user or group by this one", s.ID), "only a host that runs as root can do that"
	}
	return "", ""
}

// space is what is free for others than root on the volume of a folder, and its size.
func space(dir string) (free, size int64, err error) {
	var sf unix.Statfs_t
	if err := unix.Statfs(nearest(dir), &sf); err != nil {
		return 0, 0, err
	}
	block := int64(sf.Bsize)                                       //nolint:unconvert,nolintlint // uint32 on macOS
	return int64(sf.Bavail) * block, int64(sf.Blocks) * block, nil //nolint:unconvert,nolintlint // int64 on FreeBSD
}
