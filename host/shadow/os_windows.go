package shadow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

const openFlags = 0

// owner: the rights of a copy follow from the folder it lies in.
type owner struct{}

func ownerOf(fs.FileInfo) owner { return owner{} }

func (owner) give(*os.Root, string) {}

// runnable reports whether a file is a program by its name.
func runnable(name string, _ fs.FileMode) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".com", ".bat", ".cmd", ".ps1":
		return true
	}
	return false
}

// reach has nothing to do: whoever may use a folder need not be able to use those above it.
func reach(string, string) error { return nil }

// allow lets the account of the service read and run a copy, beside those who may use the state folder.
func allow(dir, user string) error {
	if user == "" {
		return nil
	}
	acl, err := grant(dir, user)
	if err == nil {
		err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
	}
	if err != nil {
		return fmt.Errorf("cannot let %q read it: %w", user, err)
	}
	return nil
}

// grant is the access list of a folder with an entry for user more.
func grant(dir, user string) (*windows.ACL, error) {
	sid, _, _, err := windows.LookupSID("", strings.TrimPrefix(user, `.\`))
	if err != nil {
		return nil, err
	}
	now, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return nil, err
	}
	acl, _, err := now.DACL()
	if err != nil {
		return nil, err
	}
	return windows.ACLFromEntries([]windows.EXPLICIT_ACCESS{{
		AccessPermissions: windows.GENERIC_READ | windows.GENERIC_EXECUTE,
		AccessMode:        windows.GRANT_ACCESS,
		Inheritance:       windows.SUB_CONTAINERS_AND_OBJECTS_INHERIT,
		Trustee: windows.TRUSTEE{
			TrusteeForm: windows.TRUSTEE_IS_SID, TrusteeType: windows.TRUSTEE_IS_UNKNOWN, TrusteeValue: windows.TrusteeValueFromSID(sid),
		},
	}}, acl)
}

// passing reports whether an error is that of a file which somebody has open.
func passing(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}

// writable: what is read-only can't be deleted here.
func writable(root *os.Root, name string, st fs.FileInfo) {
	if st.Mode().Perm()&0o200 == 0 {
		_ = root.Chmod(name, 0o600)
	}
}

// syncDir has nothing to do: a rename is journaled by the file system.
func syncDir(string) error { return nil }
