package requires

import "golang.org/x/sys/unix"

func readOnly(sf unix.Statfs_t) bool { return sf.Flags&unix.ST_RDONLY != 0 }

// hasACL reports whether a list may give what the mode doesn't.
func hasACL(path string) bool {
	n, err := unix.Getxattr(path, "system.posix_acl_access", nil)
	return err == nil && n > 0
}
