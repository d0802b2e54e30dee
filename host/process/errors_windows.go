package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
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
		e := &Error{Kind: ErrNotFound, Message: fmt.Sprintf("executable %q not found", r.Path)}
		if _, err := os.Stat(r.Path + ".exe"); err == nil {
			e.Hint = fmt.Sprintf("did you mean %q?", r.Path+".exe")
		}
		return e
	case windows.ERROR_ACCESS_DENIED, windows.ERROR_ELEVATION_REQUIRED, windows.ERROR_ACCESS_DISABLED_BY_POLICY,
		windows.ERROR_VIRUS_INFECTED, windows.ERROR_PRIVILEGE_NOT_HELD:
		if isFolder(r.Path) {
			return &Error{Kind: ErrPermission, Message: fmt.Sprintf("%q is a folder, not a program", r.Path)}
		}
		e := &Error{Kind: ErrPermission, Message: fmt.Sprintf("not permitted to run %q: %v", r.Path, err), Hint: "see the rights of the file and of its folders"}
		if code == windows.ERROR_ELEVATION_REQUIRED {
			e.Hint = "the program asks for an administrator: run the host as a service or elevated"
		}
		return e
	case windows.ERROR_BAD_EXE_FORMAT, windows.ERROR_BAD_FORMAT, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH,
		windows.ERROR_INVALID_EXE_SIGNATURE, windows.ERROR_EXE_MARKED_INVALID:
		return &Error{Kind: ErrFormat, Message: fmt.Sprintf("%q is no program for this machine", r.Path), Hint: "a script needs its interpreter as the command"}
	case windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_OUTOFMEMORY, windows.ERROR_NO_SYSTEM_RESOURCES, windows.ERROR_COMMITMENT_LIMIT,
		windows.ERROR_NOT_ENOUGH_QUOTA, windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_PIPE_BUSY:
		return &Error{Kind: ErrResources, Message: fmt.Sprintf("no resources to run %q: %v", r.Path, err), Hint: "see memory, page file and handles"}
	case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION:
		return &Error{Kind: ErrResources, Message: fmt.Sprintf("%q is being written or is locked by another program", r.Path)}
	case windows.ERROR_FILENAME_EXCED_RANGE:
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("the path, folder or arguments of %q are too long", r.Path)}
	}
	if e := folderError(r.Dir); e != nil {
		return e
	}
	if isFolder(r.Path) {
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("%q is a folder, not a program", r.Path)}
	}
	return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot run %q: %v", r.Path, err)}
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
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("folder %q may not be entered", dir)}
	}
	return &Error{Kind: ErrNotFound, Message: fmt.Sprintf("folder %q not found", dir), Hint: "see dir:"}
}

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
