//go:build unix

package requires

import (
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is the architecture of the machine, in our words.
func machine() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return runtime.GOARCH
	}
	name := unix.ByteSliceToString(u.Machine[:])
	switch name {
	case "x86_64", "amd64":
		return "amd64"
	case "aarch64", "arm64":
		return "arm64"
	case "loongarch64":
		return "loong64"
	}
	switch {
	case len(name) == 4 && name[0] == 'i' && strings.HasSuffix(name, "86"):
		return "386"
	case strings.HasPrefix(name, "armv"):
		return "arm"
	}
	return name
}

// kernelVersion is that of uname.
func kernelVersion() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return versionIn(unix.ByteSliceToString(u.Release[:]))
}
