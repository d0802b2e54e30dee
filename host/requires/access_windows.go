package requires

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

func isRefused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

// allowed asks the system what this process may do: nothing is made, only opened with the rights to do so. What
// another account may do is known once it is signed in, which is not for a look.
// https://learn.microsoft.com/en-us/windows/win32/fileio/file-access-rights-constants
func allowed(path string, _ fs.FileInfo, env Env, p purpose) error {
	if env.User != "" {
		return nil
	}
	const addFile, addFolder = 0x2, 0x4
	rights := uint32(windows.FILE_READ_DATA)
	if p == toFill {
		rights = addFile | addFolder
	}
	name, err := windows.UTF16PtrFromString(files.Long(path))
	if err != nil {
		return err
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, rights, share, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			return nil // somebody has it for himself just now; the right is there
		}
		return err
	}
	windows.CloseHandle(h)
	return nil
}
