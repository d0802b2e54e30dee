//go:build unix

package reload

import (
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// ownerOf returns the number of the account that owns a file, and how to find its name.
func ownerOf(path string) (id string, name func() string, ok bool) {
	fi, err := os.Stat(path)
	if err != nil {
		return "", nil, false
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil, false
	}
	id = "uid " + strconv.FormatUint(uint64(st.Uid), 10)
	return id, func() string {
		u, err := user.LookupId(strings.TrimPrefix(id, "uid "))
		if err != nil {
			return ""
		}
		return u.Username
	}, true
}
