package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unicode/utf16"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// startError says in words why a program could not be started. The system's answer does not tell
// whether the folder or the program is missing, so it looks again.
func startError(r Request, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	var code syscall.Errno
	errors.As(err, &code)
	switch code {
	case windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND, windows.ERROR_DIRECTORY, windows.ERROR_INVALID_NAME:
		if e := folderError(r.Dir); e != nil {
			return e
		}
		if e := longError(r); e != nil {
			return e
		}
		e := &Error{Kind: ErrNotFound, Message: fmt.Sprintf("executable %s not found", human.Path(r.Path))}
		if _, err := os.Stat(r.Path + ".exe"); err == nil {
			e.Hint = fmt.Sprintf("did you mean %s?", human.Path(r.Path+".exe"))
		}
		return e
	case windows.ERROR_ACCESS_DENIED, windows.ERROR_ELEVATION_REQUIRED, windows.ERROR_ACCESS_DISABLED_BY_POLICY,
		windows.ERROR_VIRUS_INFECTED, windows.ERROR_PRIVILEGE_NOT_HELD:
		if isFolder(r.Path) {
			return &Error{Kind: ErrPermission, Message: fmt.Sprintf("%s is a folder, not a program", human.Path(r.Path))}
		}
		e := &Error{Kind: ErrPermission, Message: fmt.Sprintf("not permitted to run %s: %v", human.Path(r.Path), err), Hint: "see the rights of the file and of its folders"}
		if code == windows.ERROR_ELEVATION_REQUIRED {
			e.Hint = "the program asks for an administrator: run the host as a service or elevated"
		}
		return e
	case windows.ERROR_BAD_EXE_FORMAT, windows.ERROR_BAD_FORMAT, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH,
		windows.ERROR_INVALID_EXE_SIGNATURE, windows.ERROR_EXE_MARKED_INVALID:
		return &Error{Kind: ErrFormat, Message: fmt.Sprintf("%s is no program for this machine", human.Path(r.Path)), Hint: "a script needs its interpreter as the command"}
	case windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_OUTOFMEMORY, windows.ERROR_NO_SYSTEM_RESOURCES, windows.ERROR_COMMITMENT_LIMIT,
		windows.ERROR_NOT_ENOUGH_QUOTA, windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_PIPE_BUSY:
		return &Error{Kind: ErrResources, Message: fmt.Sprintf("no resources to run %s: %v", human.Path(r.Path), err), Hint: "see memory, page file and handles"}
	case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION:
		return &Error{Kind: ErrResources, Message: fmt.Sprintf("%s is being written or is locked by another program", human.Path(r.Path))}
	case windows.ERROR_FILENAME_EXCED_RANGE:
		if e := longError(r); e != nil {
			return e
		}
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("the path, folder or arguments of %s are too long", human.Path(r.Path))}
	}
	if e := folderError(r.Dir); e != nil {
		return e
	}
	if isFolder(r.Path) {
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("%s is a folder, not a program", human.Path(r.Path))}
	}
	if e := longError(r); e != nil {
		return e
	}
	return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot run %s: %v", human.Path(r.Path), err)}
}

// folderError says what is wrong with the working folder, if anything is.
func folderError(dir string) error {
	if dir == "" {
		return nil
	}
	st, err := os.Stat(dir)
	switch {
	case err == nil && st.IsDir():
		return nil
	case errors.Is(err, os.ErrPermission):
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("folder %s may not be entered", human.Path(dir))}
	}
	return &Error{Kind: ErrNotFound, Message: fmt.Sprintf("folder %s not found", human.Path(dir)), Hint: "see dir:"}
}

// longError blames the length of a path of something that is there: long paths are for the functions that
// open files, while a program and its folder may still have to be shorter than MAX_PATH.
// https://learn.microsoft.com/en-us/windows/win32/fileio/maximum-file-path-limitation
func longError(r Request) error {
	const hint = "put it closer to the root of the drive, or give its folder a short name with mklink /J"
	if n := utf16Len(r.Path); n >= windows.MAX_PATH && !isFolder(r.Path) && isThere(r.Path) {
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot run %s: its path has %d characters, and Windows starts programs of 260 or more only under conditions", human.Path(r.Path), n), Hint: hint}
	}
	if n := utf16Len(r.Dir); n >= windows.MAX_PATH-1 && isFolder(r.Dir) { // a backslash is added
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot run a program in folder %s: its path has %d characters, Windows takes 258", human.Path(r.Dir), n), Hint: hint}
	}
	return nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func utf16Len(s string) int { return len(utf16.Encode([]rune(s))) }

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
