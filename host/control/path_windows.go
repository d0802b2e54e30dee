package control

import (
	"strings"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

// resolve asks the system for the final name, which also follows junctions and spells 8.3 names out;
// filepath.EvalSymlinks does neither for every kind of mount point.
func resolve(path string) (string, error) {
	name, err := windows.UTF16PtrFromString(files.Long(path))
	if err != nil {
		return "", err
	}
	h, err := windows.CreateFile(name, 0,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(h)
	buf := make([]uint16, windows.MAX_PATH)
	for {
		n, err := windows.GetFinalPathNameByHandle(h, &buf[0], uint32(len(buf)), 0)
		if err != nil {
			return "", err
		}
		if int(n) < len(buf) {
			return unprefixed(windows.UTF16ToString(buf[:n])), nil
		}
		buf = make([]uint16, n+1)
	}
}

// unprefixed takes the \\?\ prefix off, which only the resolved form carries.
func unprefixed(path string) string {
	if rest, ok := strings.CutPrefix(path, `\\?\UNC\`); ok {
		return `\\` + rest
	}
	return strings.TrimPrefix(path, `\\?\`)
}

// fold makes paths comparable that differ in case only. Upper before lower, as the system's own table
// is one of upper case.
func fold(path string) string {
	return strings.ToLower(strings.ToUpper(strings.ReplaceAll(path, "/", `\`)))
}
