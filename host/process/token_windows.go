package process

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/windows"
)

// disableMaxPrivilege takes every privilege but SeChangeNotifyPrivilege out of a restricted token.
const disableMaxPrivilege = 1

// The labels of integrity levels.
const (
	sidLowIntegrity    = "S-1-16-4096"
	sidMediumIntegrity = "S-1-16-8192"
)

// ownTokenAccess is what a token needs so that processes can be started with what is made of it.
const ownTokenAccess = windows.TOKEN_QUERY | windows.TOKEN_DUPLICATE | windows.TOKEN_ASSIGN_PRIMARY | windows.TOKEN_ADJUST_DEFAULT

// identity is who a run is. A nil identity is this process itself.
type identity struct {
	sec  security
	warn func(about, message string)
	// base is the token of the user, token what was made of it for the process; they may be the same.
	base, token windows.Token
	profile     windows.Handle // loaded for the user
	// desktop is where windows go: nil leaves it to the station of the host.
	desktop *string
	// name is the user where it is another than that of the host, env its environment.
	name string
	env  []string
	// session tells that it is in another session. All members of a job are in the same one, the first
	// decides in which: https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-createjobobjectw
	session bool
}

// passwords finds a secret that a request names; nil: there are none here.
type passwords func(Secret) (string, error)

// identify prepares the identity that a request asks for. What was taken is freed when it fails.
func identify(sec security, r Request, find passwords, warn func(about, message string)) (id *identity, err error) {
	if r.User == "" && !r.UserSession && !r.RestrictedToken && r.Integrity == "" {
		return nil, nil
	}
	id = &identity{sec: sec, warn: warn}
	defer func() {
		if err != nil {
			id.free()
			id = nil
		}
	}()
	switch {
	case r.UserSession:
		err = id.joinSession()
	case r.User != "":
		err = id.become(parseAccount(r.User), r, find)
	}
	if err != nil {
		return id, err
	}
	if err = id.weaken(r); err != nil {
		return id, err
	}
	if id.token == 0 && id.desktop == nil {
		return nil, nil
	}
	return id, nil
}

// become signs in an account, unless it is that of the host.
func (id *identity) become(a account, r Request, find passwords) error {
	own, err := id.ownUser()
	if err != nil {
		return err
	}
	sid := a.sid
	if sid == "" {
		if sid, err = id.sec.lookup(a.lookupName()); err != nil && errors.Is(err, windows.ERROR_NONE_MAPPED) {
			return logonError(a, err)
		}
	}
	if sid != "" && sid == own {
		return nil
	}
	if sid == sidLocalSystem {
		return &Error{Kind: ErrPermission, Message: "only a host that runs as LocalSystem starts programs as LocalSystem", Hint: "leave out user, or install the host with that account"}
	}
	if id.base, err = signIn(id.sec, a, func() (string, error) { return find.of(a, r) }); err != nil {
		return err
	}
	id.token, id.name = id.base, a.name
	// A program of another user has no access to the station of the host: it gets that of its own logon.
	// https://support.microsoft.com/kb/165194
	id.desktop = new(string)
	id.loadProfile(a.user)
	return id.loadEnv()
}

// ownUser is the user of this process.
func (id *identity) ownUser() (string, error) {
	t, err := id.sec.own(windows.TOKEN_QUERY)
	if err == nil {
		defer id.sec.close(t)
		var sid string
		if sid, err = id.sec.user(t); err == nil {
			return sid, nil
		}
	}
	return "", &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot find out who the host runs as: %v", err)}
}

// of asks for the password of an account.
func (find passwords) of(a account, r Request) (string, error) {
	if r.Password == nil {
		return "", &Error{Kind: ErrUser, Message: fmt.Sprintf("cannot sign in %s: no password is set", quoteName(a.name)), Hint: "set password: {dpapi: FILE}, made with host secret protect"}
	}
	if find == nil {
		return "", &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("cannot sign in %s: passwords can't be had here", quoteName(a.name))}
	}
	text, err := find(*r.Password)
	if err != nil {
		return "", &Error{Kind: ErrUser, Message: fmt.Sprintf("cannot find the password of %s: %v", quoteName(a.name), err)}
	}
	return text, nil
}

// weaken takes privileges and integrity away, from the own token where no other user was asked for.
// No right is needed to start a process with a weaker form of one's own token.
func (id *identity) weaken(r Request) error {
	label := ""
	switch r.Integrity {
	case "":
	case "low":
		label = sidLowIntegrity
	case "medium":
		label = sidMediumIntegrity
	default:
		return &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("no integrity level %q", r.Integrity), Hint: "use low or medium"}
	}
	if !r.RestrictedToken && label == "" {
		return nil
	}
	fail := func(what string, err error) error {
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot %s: %v", what, err)}
	}
	var err error
	if id.base == 0 {
		if id.base, err = id.sec.own(ownTokenAccess); err != nil {
			return fail("open the token of the host", err)
		}
	}
	id.token = 0
	if r.RestrictedToken {
		if id.token, err = id.sec.restrict(id.base, disableMaxPrivilege); err != nil {
			return fail("make a token without privileges", err)
		}
	} else if id.token, err = id.sec.duplicate(id.base, ownTokenAccess, windows.SecurityImpersonation, windows.TokenPrimary); err != nil {
		return fail("copy a token", err)
	}
	if label == "" {
		return nil
	}
	if err = id.sec.setIntegrity(id.token, label); err != nil {
		return fail("set the integrity level "+r.Integrity, err)
	}
	return nil
}

// free gives back what belongs to the identity. Nothing of it may run any more: its settings go with it.
func (id *identity) free() {
	if id == nil {
		return
	}
	if id.profile != 0 {
		if err := id.sec.unloadProfile(id.base, id.profile); err != nil {
			id.warn("profile left", fmt.Sprintf("cannot unload the profile of %s: %v; it stays loaded until the machine is started anew", quoteName(id.name), err))
		}
	}
	if id.token != 0 && id.token != id.base {
		id.sec.close(id.token)
	}
	if id.base != 0 {
		id.sec.close(id.base)
	}
	id.base, id.token, id.profile = 0, 0, 0
}

// startError says in words what the identity has to do with a process that could not be started.
func (id *identity) startError(err error) error {
	var code syscall.Errno
	if id == nil || !errors.As(err, &code) {
		return err
	}
	who := id.name
	switch {
	case code == windows.ERROR_PRIVILEGE_NOT_HELD && id.session:
		return &Error{Kind: ErrPermission, Message: "the host has not the right to start programs on the desktop of the signed-in user", Hint: sessionHint}
	case code == windows.ERROR_PRIVILEGE_NOT_HELD && who != "":
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("the host has not the right to start programs as %s", quoteName(who)), Hint: privilegeHint}
	case code == windows.ERROR_ACCESS_DENIED && who != "":
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("%s may not run the program or not enter its folder: %v", quoteName(who), err),
			Hint: "the account needs the right to read and execute both"}
	}
	return err
}

// token is what console helpers of the run are started with, so that they may reach it; 0: as the host.
func (u *run) token() windows.Token {
	if u.who == nil {
		return 0
	}
	return u.who.token
}

// desktop is where they find its windows; nil: where the host is.
func (u *run) desktop() *string {
	if u.who == nil {
		return nil
	}
	return u.who.desktop
}

// jobs are those that a process of the run belongs to. One in another session can't be in the job that holds
// everything: its own job ends it with this process as well.
func (u *run) jobs(outer windows.Handle) []windows.Handle {
	if u.who != nil && u.who.session {
		return []windows.Handle{u.job}
	}
	return []windows.Handle{outer, u.job}
}
