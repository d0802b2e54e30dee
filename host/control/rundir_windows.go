package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// runDirACL lets the system and administrators write, and every signed-in user read: who may use the
// pipes is said by the pipes. It is protected, as everybody may create folders in ProgramData.
const runDirACL = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;AU)"

// runDir returns the folder in which this account's hosts register, made where it is missing.
func runDir() (string, error) {
	if dir := os.Getenv(runDirVariable); dir != "" {
		dir = absolute(dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", fmt.Errorf("cannot create the run directory: %w", err)
		}
		return dir, checkDir(dir)
	}
	if dir := systemRunDir(); dir != "" {
		if windows.GetCurrentProcessToken().IsElevated() {
			if err := errors.Join(protectedDir(filepath.Dir(dir)), protectedDir(dir)); err != nil {
				return "", fmt.Errorf("cannot create the run directory: %w", err)
			}
			if err := checkDir(dir); err != nil {
				return "", fmt.Errorf("cannot use the run directory %s: %w", human.Path(dir), err)
			}
			return dir, nil
		}
		// A service account without administrator's rights may have been let in by whoever installed it.
		if checkDir(dir) == nil && writable(dir) {
			return dir, nil
		}
	}
	dir := userRunDir()
	if dir == "" {
		return "", errors.New("cannot find a run directory: neither %ProgramData% nor %LocalAppData% is usable")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("cannot create the run directory: %w", err)
	}
	if err := checkDir(dir); err != nil {
		return "", fmt.Errorf("cannot use the run directory %s: %w", human.Path(dir), err)
	}
	return dir, nil
}

// lookupDirs returns the folders in which hosts that concern this account may be registered.
func lookupDirs() []string {
	candidates := []string{systemRunDir(), userRunDir()}
	if dir := os.Getenv(runDirVariable); dir != "" {
		candidates = []string{absolute(dir)}
	}
	var dirs []string
	for _, dir := range candidates {
		if dir != "" && checkDir(dir) == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func systemRunDir() string { return under("ProgramData") }
func userRunDir() string   { return under("LOCALAPPDATA") }

func under(variable string) string {
	base := os.Getenv(variable)
	if !filepath.IsAbs(base) {
		return ""
	}
	return filepath.Join(base, "servicehost", "run")
}

// protectedDir makes a folder with its access list from the first moment; an existing one stays as it is.
func protectedDir(dir string) error {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(runDirACL)
	if err != nil {
		return err
	}
	sa := windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(sa))
	if err := windows.CreateDirectory(name, &sa); err != nil && !errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// checkDir refuses a folder that somebody else made, and one that leads elsewhere.
func checkDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode()&fs.ModeIrregular != 0 {
		return errors.New("it is not a folder")
	}
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("its owner is unknown: %w", err)
	}
	owner, _, err := sd.Owner()
	if err != nil || owner == nil {
		return errors.New("it has no owner")
	}
	if owner.IsWellKnown(windows.WinLocalSystemSid) || owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		return nil
	}
	if me, err := currentUser(); err == nil && owner.Equals(me) {
		return nil
	}
	return fmt.Errorf("it belongs to another user (%s)", owner)
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, "*.tmp")
	if err != nil {
		return false
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	return true
}

// ownDir reports whether this account may tidy a run directory up.
func ownDir(dir string) bool { return checkDir(dir) == nil }

func currentUser() (*windows.SID, error) {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return u.User.Sid, nil
}

func processAlive(pid int) bool {
	if pid <= 0 {
		return false
	}
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return errors.Is(err, windows.ERROR_ACCESS_DENIED)
	}
	defer windows.CloseHandle(h)
	ev, err := windows.WaitForSingleObject(h, 0)
	return err == nil && ev == uint32(windows.WAIT_TIMEOUT)
}
