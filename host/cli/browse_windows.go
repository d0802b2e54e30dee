package cli

import "golang.org/x/sys/windows"

// browse opens a page in the browser of the signed-in user. The link is in no command line of ours.
func browse(url string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	target, err := windows.UTF16PtrFromString(url)
	if err != nil {
		return err
	}
	return windows.ShellExecute(0, verb, target, nil, nil, windows.SW_SHOWNORMAL)
}
