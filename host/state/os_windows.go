package state

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

const noFollow = 0

// makePrivate creates the folder. Where the host is elevated only the system, the administrators and
// the owner may use it, whatever the folder above says; else it inherits.
func makePrivate(dir string) error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return os.Mkdir(dir, 0o700)
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)")
	if err != nil {
		return err
	}
	path, err := windows.UTF16PtrFromString(files.Long(dir))
	if err != nil {
		return err
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	if err := windows.CreateDirectory(path, sa); err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

func unfit(fs.FileInfo) (why, hint string) { return "", "" }

// syncDir has nothing to do: a rename is journaled by the file system.
func syncDir(string) error { return nil }

const processDead = "dead"

func alive(pid int, born string) bool {
	now := processBorn(pid)
	return now != processDead && (now == "" || born == "" || now == born)
}

// processBorn is the creation time of a process; processDead for one that has ended, "" where it
// must not be asked.
func processBorn(pid int) string {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return processDead
	}
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(h)
	const stillActive = 259
	var code uint32
	if err := windows.GetExitCodeProcess(h, &code); err == nil && code != stillActive {
		return processDead
	}
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return ""
	}
	return strconv.FormatInt(created.Nanoseconds(), 10)
}
