package process

import (
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// security is what the system does for the identity of children. Tests put a recorder in its place:
// most of it needs accounts and rights that a machine for tests has not.
type security interface {
	// own returns a handle to the token of this process.
	own(access uint32) (windows.Token, error)
	// user returns the SID of the user of a token, lookup that of an account.
	user(t windows.Token) (string, error)
	lookup(account string) (string, error)
	// logon signs an account in. A nil domain or password is passed as NULL.
	logon(user string, domain, password *string, kind, provider uint32) (windows.Token, error)
	restrict(t windows.Token, flags uint32) (windows.Token, error)
	duplicate(t windows.Token, access, level, kind uint32) (windows.Token, error)
	setIntegrity(t windows.Token, sid string) error
	loadProfile(t windows.Token, user string, flags uint32) (windows.Handle, error)
	unloadProfile(t windows.Token, profile windows.Handle) error
	environ(t windows.Token) ([]string, error)
	// ownSession is the session of this process, consoleSession the one at the screen of the machine.
	ownSession() (uint32, error)
	consoleSession() uint32
	sessions() ([]session, error)
	sessionToken(id uint32) (windows.Token, error)
	close(t windows.Token)
}

// session is one Remote Desktop Services session; the screen of the machine is one, too.
type session struct {
	id    uint32
	state uint32
}

var (
	advapi32                  = windows.NewLazySystemDLL("advapi32.dll")
	userenv                   = windows.NewLazySystemDLL("userenv.dll")
	procLogonUser             = advapi32.NewProc("LogonUserW")
	procCreateRestrictedToken = advapi32.NewProc("CreateRestrictedToken")
	procLoadUserProfile       = userenv.NewProc("LoadUserProfileW")
	procUnloadUserProfile     = userenv.NewProc("UnloadUserProfile")
)

// winSecurity is the security of this machine.
type winSecurity struct{}

func (winSecurity) own(access uint32) (t windows.Token, err error) {
	err = windows.OpenProcessToken(windows.CurrentProcess(), access, &t)
	return t, err
}

func (winSecurity) user(t windows.Token) (string, error) {
	u, err := t.GetTokenUser()
	if err != nil {
		return "", err
	}
	return u.User.Sid.String(), nil
}

func (winSecurity) lookup(account string) (string, error) {
	sid, _, _, err := windows.LookupSID("", account)
	if err != nil {
		return "", err
	}
	return sid.String(), nil
}

func (winSecurity) logon(user string, domain, password *string, kind, provider uint32) (t windows.Token, err error) {
	u, err := windows.UTF16PtrFromString(user)
	if err != nil {
		return 0, err
	}
	var d *uint16
	if domain != nil {
		if d, err = windows.UTF16PtrFromString(*domain); err != nil {
			return 0, err
		}
	}
	var p *uint16
	if password != nil {
		secret, err := windows.UTF16FromString(*password)
		if err != nil {
			return 0, err
		}
		defer clear(secret)
		p = &secret[0]
	}
	ok, _, err := procLogonUser.Call(uintptr(unsafe.Pointer(u)), uintptr(unsafe.Pointer(d)), uintptr(unsafe.Pointer(p)),
		uintptr(kind), uintptr(provider), uintptr(unsafe.Pointer(&t)))
	if ok == 0 {
		return 0, err
	}
	return t, nil
}

func (winSecurity) restrict(t windows.Token, flags uint32) (out windows.Token, err error) {
	ok, _, err := procCreateRestrictedToken.Call(uintptr(t), uintptr(flags), 0, 0, 0, 0, 0, 0, uintptr(unsafe.Pointer(&out)))
	if ok == 0 {
		return 0, err
	}
	return out, nil
}

func (winSecurity) duplicate(t windows.Token, access, level, kind uint32) (out windows.Token, err error) {
	err = windows.DuplicateTokenEx(t, access, nil, level, kind, &out)
	return out, err
}

// seGroupIntegrity marks the SID of a label.
const seGroupIntegrity = 0x20

func (winSecurity) setIntegrity(t windows.Token, text string) error {
	sid, err := windows.StringToSid(text)
	if err != nil {
		return err
	}
	label := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: sid, Attributes: seGroupIntegrity}}
	err = windows.SetTokenInformation(t, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&label)), label.Size())
	runtime.KeepAlive(sid)
	return err
}

// profileInfo is PROFILEINFOW.
type profileInfo struct {
	size, flags                          uint32
	user, path, defaultPath, server, pol *uint16
	profile                              windows.Handle
}

func (winSecurity) loadProfile(t windows.Token, user string, flags uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(user)
	if err != nil {
		return 0, err
	}
	info := profileInfo{flags: flags, user: name}
	info.size = uint32(unsafe.Sizeof(info))
	err = withPrivileges(profilePrivileges, func() error {
		if ok, _, err := procLoadUserProfile.Call(uintptr(t), uintptr(unsafe.Pointer(&info))); ok == 0 {
			return err
		}
		return nil
	})
	return info.profile, err
}

func (winSecurity) unloadProfile(t windows.Token, profile windows.Handle) error {
	return withPrivileges(profilePrivileges, func() error {
		if ok, _, err := procUnloadUserProfile.Call(uintptr(t), uintptr(profile)); ok == 0 {
			return err
		}
		return nil
	})
}

func (winSecurity) environ(t windows.Token) ([]string, error) { return t.Environ(false) }

func (winSecurity) ownSession() (id uint32, err error) {
	err = windows.ProcessIdToSessionId(windows.GetCurrentProcessId(), &id)
	return id, err
}

func (winSecurity) consoleSession() uint32 { return windows.WTSGetActiveConsoleSessionId() }

func (winSecurity) sessions() ([]session, error) {
	var list *windows.WTS_SESSION_INFO
	var n uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &list, &n); err != nil {
		return nil, err
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(list)))
	out := make([]session, 0, n)
	for _, s := range unsafe.Slice(list, n) {
		out = append(out, session{s.SessionID, s.State})
	}
	return out, nil
}

func (winSecurity) sessionToken(id uint32) (t windows.Token, err error) {
	err = windows.WTSQueryUserToken(id, &t)
	return t, err
}

func (winSecurity) close(t windows.Token) { t.Close() }

// profilePrivileges are what the loading of a profile needs, beside an administrator.
// https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-loaduserprofilew
var profilePrivileges = []string{"SeBackupPrivilege", "SeRestorePrivilege"}

// withPrivileges runs f with privileges that this process has and keeps switched off. Only a thread has
// them meanwhile, and a thread that can't give them back ends: switched on for the process, every child
// would inherit them so.
func withPrivileges(names []string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := enablePrivileges(names); err == nil {
			defer func() {
				if windows.RevertToSelf() == nil {
					runtime.UnlockOSThread()
				}
			}()
		} else {
			defer runtime.UnlockOSThread()
		}
		done <- f() // without the privileges it fails and says why
	}()
	return <-done
}

// enablePrivileges gives the thread a token of its own with the privileges switched on.
func enablePrivileges(names []string) (err error) {
	if err := windows.ImpersonateSelf(windows.SecurityImpersonation); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, windows.RevertToSelf())
		}
	}()
	var t windows.Token
	if err := windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_ADJUST_PRIVILEGES|windows.TOKEN_QUERY, false, &t); err != nil {
		return err
	}
	defer t.Close()
	for _, name := range names {
		p, err := windows.UTF16PtrFromString(name)
		if err != nil {
			return err
		}
		one := windows.Tokenprivileges{PrivilegeCount: 1}
		if err := windows.LookupPrivilegeValue(nil, p, &one.Privileges[0].Luid); err != nil {
			return err
		}
		one.Privileges[0].Attributes = windows.SE_PRIVILEGE_ENABLED
		if err := windows.AdjustTokenPrivileges(t, false, &one, 0, nil, nil); err != nil {
			return err
		}
	}
	return nil
}
