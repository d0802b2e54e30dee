package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// system is the part of Windows that tests put something else in place of.
type system struct {
	// mkdir makes one folder with a security descriptor.
	mkdir    func(path, sddl string) error
	mkdirAll func(path string) error
	// owner is who owns what is at path, the link itself or what it leads to.
	owner func(path string, follow bool) (*windows.SID, error)
	// grant lets an account use a folder and all in it.
	grant       func(path string, account *windows.SID) error
	exists      func(path string) bool
	lookup      func(account string) (*windows.SID, error)
	self        func() (*windows.SID, error)
	elevated    func() bool
	programData func() string
}

var realSystem = system{mkdir: mkdir, mkdirAll: mkdirAll, owner: owner, grant: grant, exists: exists, lookup: lookup, self: self, elevated: elevated, programData: programData}

func makePrivateDir(path string, _ fs.FileMode, account *string) error {
	return realSystem.makePrivateDir(path, account)
}

func (s system) makePrivateDir(path string, account *string) error {
	fail := func(err error) error { return fmt.Errorf("cannot make folder %s: %w", human.Path(path), err) }
	path, err := filepath.Abs(path)
	if err != nil {
		return fail(err)
	}
	me, err := s.self()
	if err != nil {
		return fail(err)
	}
	who := me
	if account != nil {
		if who, err = s.lookup(*account); err != nil {
			return fail(fmt.Errorf("account %s is unknown: %w", human.Path(*account), err))
		}
	}
	trusted := []*windows.SID{me, who}
	for _, dir := range s.shared(filepath.Dir(path)) {
		if err := s.makeOne(dir, s.descriptor(me, true), trusted); err != nil {
			return err
		}
	}
	if err := s.mkdirAll(filepath.Dir(path)); err != nil { // what is elsewhere is up to the administrator
		return fail(err)
	}
	there := s.exists(path)
	if err := s.makeOne(path, s.descriptor(who, false), trusted); err != nil {
		return err
	}
	if there && account != nil && !builtin(who) {
		if err := s.grant(path, who); err != nil {
			return fmt.Errorf("cannot give account %s the use of folder %s: %w", human.Path(*account), human.Path(path), err)
		}
	}
	return nil
}

// shared returns the folders down to dir that lie below %ProgramData%, where every user may make some.
func (s system) shared(dir string) []string {
	var out []string
	root := s.programData()
	for root != "" && below(dir, root) {
		out = append([]string{dir}, out...)
		dir = filepath.Dir(dir)
	}
	return out
}

// below reports whether path lies in root, and is not root itself.
func below(path, root string) bool {
	root = strings.TrimRight(filepath.Clean(root), `\`) + `\`
	return len(path) > len(root) && strings.EqualFold(path[:len(root)], root)
}

// makeOne makes a folder, or looks at whose one is that is there.
func (s system) makeOne(path, sddl string, trusted []*windows.SID) error {
	if !s.exists(path) {
		err := s.mkdir(path, sddl)
		if err == nil {
			return nil
		}
		if !errors.Is(err, windows.ERROR_ALREADY_EXISTS) { // else somebody was faster
			return fmt.Errorf("cannot make folder %s: %w", human.Path(path), err)
		}
	}
	for _, follow := range []bool{false, true} {
		sid, err := s.owner(path, follow)
		if err != nil {
			return &Unfit{Path: path, Why: "whose it is can't be seen: " + err.Error(), Hint: takeOver(path)}
		}
		if !trustworthy(sid, trusted) {
			return &Unfit{Path: path, Why: fmt.Sprintf("it belongs to %s, who could change what lies in it", nameOf(sid)), Hint: takeOver(path)}
		}
	}
	return nil
}

func takeOver(path string) string {
	return fmt.Sprintf(`look at what is in it, then remove it or make it the administrators': icacls "%s" /setowner *S-1-5-32-544`, path)
}

// descriptor is that of a new folder: for the system, the administrators and an account. What is shared by
// the hosts of several accounts may be read by everybody who is signed in, as the spec may lie there.
// https://learn.microsoft.com/en-us/windows/win32/secauthz/security-descriptor-string-format
func (s system) descriptor(account *windows.SID, share bool) string {
	sddl := "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
	if s.elevated() {
		sddl = "O:BA" + sddl // not of the administrator who happens to be there
	}
	if !builtin(account) && !(share && s.elevated()) {
		sddl += "(A;OICI;FA;;;" + account.String() + ")"
	}
	if share {
		sddl += "(A;OICI;0x1200a9;;;AU)"
	}
	return sddl
}

// builtin reports whether an account is in every descriptor anyway.
func builtin(sid *windows.SID) bool {
	return sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid)
}

// trustedInstaller owns the folders of Windows itself.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

func trustworthy(owner *windows.SID, trusted []*windows.SID) bool {
	if builtin(owner) || owner.String() == trustedInstaller {
		return true
	}
	return slices.ContainsFunc(trusted, owner.Equals)
}

func nameOf(sid *windows.SID) string {
	if name, domain, _, err := sid.LookupAccount(""); err == nil {
		return domain + `\` + name
	}
	return sid.String()
}

func mkdir(path, sddl string) error {
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(Long(path))
	if err != nil {
		return err
	}
	sa := windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(sa))
	return windows.CreateDirectory(name, &sa)
}

func mkdirAll(path string) error { return os.MkdirAll(path, 0o755) }

func owner(path string, follow bool) (*windows.SID, error) {
	name, err := windows.UTF16PtrFromString(Long(path))
	if err != nil {
		return nil, err
	}
	flags := uint32(windows.FILE_FLAG_BACKUP_SEMANTICS)
	if !follow {
		flags |= windows.FILE_FLAG_OPEN_REPARSE_POINT
	}
	h, err := windows.CreateFile(name, windows.READ_CONTROL, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING, flags, 0)
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(h)
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return nil, err
	}
	sid, _, err := sd.Owner()
	if err == nil && sid == nil {
		err = errors.New("it has no owner")
	}
	return sid, err
}

// grant adds to the access list; what lies in the folder inherits it.
func grant(path string, account *windows.SID) error {
	const what = windows.DACL_SECURITY_INFORMATION
	sd, err := windows.GetNamedSecurityInfo(Long(path), windows.SE_FILE_OBJECT, what)
	if err != nil {
		return err
	}
	old, _, err := sd.DACL()
	if err != nil {
		return err
	}
	list, err := windows.ACLFromEntries([]windows.EXPLICIT_ACCESS{grantOf(account)}, old)
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(Long(path), windows.SE_FILE_OBJECT, what, nil, nil, list, nil)
}

func grantOf(account *windows.SID) windows.EXPLICIT_ACCESS {
	const fileAllAccess = windows.STANDARD_RIGHTS_REQUIRED | windows.SYNCHRONIZE | 0x1ff
	return windows.EXPLICIT_ACCESS{
		AccessPermissions: fileAllAccess,
		AccessMode:        windows.GRANT_ACCESS,
		Inheritance:       windows.SUB_CONTAINERS_AND_OBJECTS_INHERIT,
		Trustee:           windows.TRUSTEE{TrusteeForm: windows.TRUSTEE_IS_SID, TrusteeValue: windows.TrusteeValueFromSID(account)},
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// lookup knows the names of accounts as services have them; no name is the system itself.
func lookup(account string) (*windows.SID, error) {
	account = strings.TrimPrefix(account, `.\`)
	word := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(account), `nt authority\`), " ", "")
	if kind, ok := wellKnown[word]; ok {
		return windows.CreateWellKnownSid(kind)
	}
	sid, _, _, err := windows.LookupSID("", account)
	return sid, err
}

var wellKnown = map[string]windows.WELL_KNOWN_SID_TYPE{
	"": windows.WinLocalSystemSid, "system": windows.WinLocalSystemSid, "localsystem": windows.WinLocalSystemSid,
	"localservice": windows.WinLocalServiceSid, "networkservice": windows.WinNetworkServiceSid,
}

func self() (*windows.SID, error) {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return u.User.Sid, nil
}

func elevated() bool { return windows.GetCurrentProcessToken().IsElevated() }

func programData() string {
	if dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0); err == nil {
		return dir
	}
	return os.Getenv("ProgramData")
}
