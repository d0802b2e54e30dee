//go:build unix

package requires

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"servicehost/host/human"
)

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// allowed asks the system where the service runs as this process does. For another user it looks at the mode.
func allowed(path string, st fs.FileInfo, env Env, p purpose) error {
	uid, groups, err := identity(env)
	if err != nil {
		return err
	}
	wanted, mode := fs.FileMode(0o4), uint32(unix.R_OK)
	if p == toFill {
		wanted, mode = 0o3, unix.W_OK|unix.X_OK
	}
	if uid == os.Geteuid() && env.Group == "" {
		return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
	}
	if p == toFill {
		var sf unix.Statfs_t
		if err := unix.Statfs(path, &sf); err == nil && readOnly(sf) {
			return syscall.EROFS
		}
	}
	if uid == 0 {
		return nil
	}
	if refuses(st, uid, groups, wanted) && !hasACL(path) {
		return fmt.Errorf("its mode is %#o, of user %s", st.Mode().Perm(), ownerOf(st))
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if st, err := os.Stat(dir); err == nil && refuses(st, uid, groups, 0o1) && !hasACL(dir) {
			return fmt.Errorf("folder %s lets it not through, its mode is %#o, of user %s", human.Path(dir), st.Mode().Perm(), ownerOf(st))
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// refuses reports whether the mode of a file does not give the rights to a user: those of the owner, else of the
// group, else of all others, and none but these.
func refuses(st fs.FileInfo, uid int, groups []int, wanted fs.FileMode) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	perm := st.Mode().Perm()
	switch {
	case int(sys.Uid) == uid:
		perm >>= 6
	case slices.Contains(groups, int(sys.Gid)):
		perm >>= 3
	}
	return perm&wanted != wanted
}

func ownerOf(st fs.FileInfo) string {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return "?"
	}
	id := strconv.Itoa(int(sys.Uid))
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// identity is who the service runs as.
func identity(env Env) (uid int, groups []int, err error) {
	uid = os.Geteuid()
	if env.User == "" {
		groups, _ = os.Getgroups()
		groups = append(groups, os.Getegid())
	} else {
		u, err := LookupUser(env.User)
		if err != nil {
			return 0, nil, err
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return 0, nil, err
		}
		ids, _ := u.GroupIds() // of a user that exists by number alone there are none
		for _, id := range append(ids, u.Gid) {
			if n, err := strconv.Atoi(id); err == nil {
				groups = append(groups, n)
			}
		}
	}
	if env.Group != "" {
		g, err := LookupGroup(env.Group)
		if err != nil {
			return 0, nil, err
		}
		n, err := strconv.Atoi(g.Gid)
		if err != nil {
			return 0, nil, err
		}
		groups = append(groups, n)
	}
	return uid, groups, nil
}

// LookupUser finds a user by name or number.
func LookupUser(name string) (*user.User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		if _, numErr := strconv.Atoi(name); numErr == nil {
			u, err = user.LookupId(name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("there is no user %q", name)
	}
	return u, nil
}

// LookupGroup finds a group by name or number.
func LookupGroup(name string) (*user.Group, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		if _, numErr := strconv.Atoi(name); numErr == nil {
			g, err = user.LookupGroupId(name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("there is no group %q", name)
	}
	return g, nil
}
