package logs

import (
	"io/fs"
	"strings"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

// volumeOf looks at the volume of a folder that exists. Free is what this account may use: quotas count.
func volumeOf(dir string) (volume, error) {
	// A share is accepted with a backslash at its end only.
	// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdiskfreespaceexw
	name, err := windows.UTF16PtrFromString(strings.TrimRight(files.Long(dir), `\`) + `\`)
	if err != nil {
		return volume{}, &fs.PathError{Op: "volume", Path: dir, Err: err}
	}
	var free, size, all uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, &size, &all); err != nil {
		return volume{}, &fs.PathError{Op: "volume", Path: dir, Err: err}
	}
	root := make([]uint16, len(dir)+windows.MAX_PATH)
	if err := windows.GetVolumePathName(name, &root[0], uint32(len(root))); err != nil {
		return volume{}, &fs.PathError{Op: "volume", Path: dir, Err: err}
	}
	return volume{id: strings.ToUpper(windows.UTF16ToString(root)), size: int64(size), free: int64(free)}, nil
}
