//go:build unix

package logs

import (
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"
)

// volumeOf looks at the volume of a folder that exists. Free is what others than root may use.
func volumeOf(dir string) (volume, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return volume{}, &fs.PathError{Op: "stat", Path: dir, Err: err}
	}
	var sf unix.Statfs_t
	for {
		err := unix.Statfs(dir, &sf)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return volume{}, &fs.PathError{Op: "statfs", Path: dir, Err: err}
		}
	}
	block := int64(sf.Bsize) //nolint:unconvert,nolintlint // uint32 on macOS
	return volume{
		id:   strconv.FormatUint(uint64(st.Dev), 16), //nolint:unconvert,nolintlint // int32 on macOS
		size: int64(sf.Blocks) * block,
		free: int64(sf.Bavail) * block, //nolint:unconvert,nolintlint // int64 on FreeBSD
	}, nil
}
