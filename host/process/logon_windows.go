package process

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

// How LogonUser is asked. A service logon needs nothing but the right "Log on as a service", and its token
// can start processes.
const (
	logon32LogonService    = 5
	logon32ProviderDefault = 0
	// logon32ProviderVirtual is for virtual accounts; it is how the service control manager signs in
	// NT SERVICE\name, and Win32-OpenSSH its own virtual users.
	logon32ProviderVirtual = 4
)

// managedPassword stands for the password of a managed service account, which the system fetches itself:
// SERVICE_ACCOUNT_PASSWORD of lmaccess.h.
const managedPassword = "_SA_{262E99C9-6160-4871-ACEC-4E61736B6F21}"

// The accounts that every Windows has.
const (
	sidLocalSystem    = "S-1-5-18"
	sidLocalService   = "S-1-5-19"
	sidNetworkService = "S-1-5-20"
)

// accountKind says how an account is signed in.
type accountKind int

const (
	withPassword accountKind = iota
	builtin                  // LocalSystem, LocalService, NetworkService
	virtual                  // NT SERVICE\name
	managed                  // DOMAIN\name$
)

// account is a user: as the spec names it.
type account struct {
	name   string // as it was written
	kind   accountKind
	user   string
	domain string // empty: it is in user, name@domain
	sid    string // of a builtin one
}

// parseAccount never fails: what does not exist is found out by asking the system.
func parseAccount(name string) account {
	a := account{name: name, user: name}
	domain, user, qualified := strings.Cut(name, `\`)
	bare := name
	if qualified {
		a.domain, a.user = domain, user
		if strings.EqualFold(domain, "NT AUTHORITY") {
			bare = user
		}
	}
	// The system knows these names in every language, and none of them with a blank.
	switch strings.ToLower(strings.ReplaceAll(bare, " ", "")) {
	case "localsystem", "system":
		return account{name: name, kind: builtin, domain: "NT AUTHORITY", user: "SYSTEM", sid: sidLocalSystem}
	case "localservice":
		return account{name: name, kind: builtin, domain: "NT AUTHORITY", user: "LocalService", sid: sidLocalService}
	case "networkservice":
		return account{name: name, kind: builtin, domain: "NT AUTHORITY", user: "NetworkService", sid: sidNetworkService}
	}
	switch {
	case strings.EqualFold(a.domain, "NT SERVICE"):
		a.kind = virtual
	case strings.HasSuffix(a.user, "$"):
		a.kind = managed
	case !qualified && !strings.Contains(name, "@"):
		a.domain = "." // this machine
	}
	return a
}

// lookupName is the account in the form that the lookup of names takes: it does not know the dot.
func (a account) lookupName() string {
	if a.domain != "." {
		return a.name
	}
	machine, err := windows.ComputerName()
	if err != nil {
		return a.user
	}
	return machine + `\` + a.user
}

// signIn returns a token of the account for a service; password is called where one is needed.
func signIn(sec security, a account, password func() (string, error)) (windows.Token, error) {
	var domain, secret *string
	if a.domain != "" {
		domain = &a.domain
	}
	provider := uint32(logon32ProviderDefault)
	switch a.kind {
	case builtin:
	case virtual:
		provider = logon32ProviderVirtual
	case managed:
		text := managedPassword
		secret = &text
	case withPassword:
		text, err := password()
		if err != nil {
			return 0, err
		}
		secret = &text
		if err := wrongPasswords.refuse(a, text, time.Now()); err != nil {
			return 0, err
		}
	}
	t, err := sec.logon(a.user, domain, secret, logon32LogonService, provider)
	if err != nil {
		if a.kind == withPassword && errors.Is(err, windows.ERROR_LOGON_FAILURE) {
			wrongPasswords.note(a, *secret, time.Now())
		}
		return 0, logonError(a, err)
	}
	if t == 0 { // a process without a token would be one of the host
		return 0, logonError(a, errors.New("the system gave no token"))
	}
	return t, nil
}

// logonError says why an account can't be signed in, and what to do about it.
func logonError(a account, err error) error {
	var code syscall.Errno
	errors.As(err, &code)
	e := &Error{Kind: ErrUser, Message: fmt.Sprintf("cannot sign in %s: %v", quoteName(a.name), err)}
	words := func(what, hint string) error {
		e.Message, e.Hint = fmt.Sprintf("cannot sign in %s: %s", quoteName(a.name), what), hint
		return e
	}
	switch code {
	case windows.ERROR_LOGON_FAILURE:
		switch a.kind {
		case managed:
			return words("the system has no password for it", "this machine must be allowed to use the managed account: Test-ADServiceAccount "+strings.TrimSuffix(a.user, "$"))
		case virtual:
			return words("the system does not sign in this virtual account", virtualHint)
		case builtin:
			return words("the system does not sign it in for this host", privilegeHint)
		}
		return words("the user name or the password is wrong", "see password:, and whether the account was renamed")
	case windows.ERROR_LOGON_TYPE_NOT_GRANTED:
		return words("it may not log on as a service",
			`give it "Log on as a service" (SeServiceLogonRight): secpol.msc, Local Policies, User Rights Assignment, or the group policy of the domain`)
	case windows.ERROR_PRIVILEGE_NOT_HELD, windows.ERROR_ACCESS_DENIED:
		e.Kind = ErrPermission
		return words("the host has not the right to", privilegeHint)
	case windows.ERROR_NONE_MAPPED, windows.ERROR_NO_SUCH_USER:
		if a.kind == virtual {
			return words("there is no such virtual account", virtualHint)
		}
		return words("there is no such account", `write DOMAIN\name, .\name for an account of this machine, or name@domain`)
	case windows.ERROR_NO_SUCH_DOMAIN:
		return words("there is no such domain", `.\name is an account of this machine`)
	case windows.ERROR_ACCOUNT_RESTRICTION:
		return words("a restriction of the account forbids it", "an empty password, the hours or machines of the account, or a policy")
	case windows.ERROR_INVALID_LOGON_HOURS:
		return words("not at this time of day", "see the logon hours of the account")
	case windows.ERROR_INVALID_WORKSTATION:
		return words("not on this machine", "see the machines that the account may log on to")
	case windows.ERROR_PASSWORD_EXPIRED, windows.ERROR_PASSWORD_MUST_CHANGE:
		return words("its password has expired", `set a new one, and "Password never expires" for an account of services`)
	case windows.ERROR_ACCOUNT_DISABLED:
		return words("the account is disabled", "")
	case windows.ERROR_ACCOUNT_EXPIRED:
		return words("the account has expired", "")
	case windows.ERROR_ACCOUNT_LOCKED_OUT:
		return words("the account is locked after too many wrong passwords", "unlock it, and see what else signs in with an old password")
	case windows.ERROR_NO_LOGON_SERVERS, windows.ERROR_TRUSTED_RELATIONSHIP_FAILURE, windows.ERROR_TRUSTED_DOMAIN_FAILURE, windows.RPC_S_SERVER_UNAVAILABLE:
		e.Kind = ErrResources
		return words(fmt.Sprintf("no domain controller answers: %v", err), "")
	}
	return e
}

const (
	privilegeHint = "to start programs as other users, the host itself must run as LocalSystem, LocalService or NetworkService"
	virtualHint   = `the name must be that of a service that is installed on this machine, as in NT SERVICE\servicehost, and the host must run as LocalSystem`
)

// quoteName quotes a name without doubling its backslash.
func quoteName(s string) string { return `"` + s + `"` }

// passwordPause is how long a password that was wrong is not tried again. Policies lock an account after
// some wrong ones within some minutes; a service that restarts would get there at once.
const passwordPause = 15 * time.Minute

// failedLogons remembers passwords that were wrong, as hashes.
type failedLogons struct {
	mu   sync.Mutex
	last map[string]failedLogon
}

type failedLogon struct {
	hash [sha256.Size]byte
	at   time.Time
}

var wrongPasswords failedLogons

func (f *failedLogons) note(a account, password string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		f.last = map[string]failedLogon{}
	}
	f.last[strings.ToLower(a.name)] = failedLogon{sha256.Sum256([]byte(a.name + "\x00" + password)), now}
}

func (f *failedLogons) refuse(a account, password string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	was, ok := f.last[strings.ToLower(a.name)]
	if !ok || now.Sub(was.at) >= passwordPause || was.hash != sha256.Sum256([]byte(a.name+"\x00"+password)) {
		return nil
	}
	return &Error{Kind: ErrUser, Message: fmt.Sprintf("cannot sign in %s: the user name or the password was wrong at %s, and is the same now", quoteName(a.name), was.at.Format(time.TimeOnly)),
		Hint: fmt.Sprintf("see password:; it is not tried for %v, so that the account does not get locked", passwordPause)}
}
