package cli

import (
	"runtime"

	"golang.org/x/sys/windows"
)

// browse opens a page in the browser of the signed-in user. The link is in no command line of ours. Who is asked may
// be reached by COM, which belongs to a thread:
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-shellexecutew#remarks
func browse(url string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	target, err := windows.UTF16PtrFromString(url)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if windows.CoInitializeEx(0, windows.COINIT_APARTMENTTHREADED|windows.COINIT_DISABLE_OLE1DDE) == nil {
		defer windows.CoUninitialize()
	}
	return windows.ShellExecute(0, verb, target, nil, nil, windows.SW_SHOWNORMAL)
}
