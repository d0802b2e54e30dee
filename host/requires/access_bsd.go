//go:build unix && !linux

package requires

import "golang.org/x/sys/unix"

func readOnly(sf unix.Statfs_t) bool { return uint64(sf.Flags)&unix.MNT_RDONLY != 0 }

func hasACL(string) bool { return false }
