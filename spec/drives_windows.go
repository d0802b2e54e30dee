package spec

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var getConnection = windows.NewLazySystemDLL("mpr.dll").NewProc("WNetGetConnectionW")

// systemDrives looks at a drive as the session of this process sees it.
var systemDrives = func(letter string) drive {
	root, err := windows.UTF16PtrFromString(letter + `:\`)
	if err != nil {
		return drive{}
	}
	kind := windows.GetDriveType(root)
	d := drive{missing: kind == windows.DRIVE_NO_ROOT_DIR, remote: kind == windows.DRIVE_REMOTE}
	if d.remote {
		d.share = shareOf(letter)
	}
	return d
}

// shareOf is the UNC name behind a mapped letter.
// https://learn.microsoft.com/en-us/windows/win32/api/winnetwk/nf-winnetwk-wnetgetconnectionw
func shareOf(letter string) string {
	name, err := windows.UTF16PtrFromString(letter + ":")
	if err != nil || getConnection.Find() != nil {
		return ""
	}
	var buf [1024]uint16
	size := uint32(len(buf))
	if code, _, _ := getConnection.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size))); code != 0 {
		return ""
	}
	return windows.UTF16ToString(buf[:])
}
