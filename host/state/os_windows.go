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

// lockAt lies far behind the text of the lock file: a lock on Windows keeps others from reading what
// it covers, and they shall read who holds it.
const lockAt = 0x7fffffff

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

func tryLock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: lockAt})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

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
