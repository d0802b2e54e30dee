package osservice

import (
	"fmt"
	"strings"
)

type accountKind int

const (
	localSystem accountKind = iota
	builtIn                 // LocalService, NetworkService
	virtual                 // NT SERVICE\name
	managed                 // a gMSA, DOMAIN\name$
	user
)

// account is an account in the form in which the SCM keeps it.
type account struct {
	name string
	kind accountKind
}

// parseAccount takes the names that people write. A virtual account belongs to the service of its name: the
// SCM makes it with the service.
// https://learn.microsoft.com/windows/win32/services/service-user-accounts
func parseAccount(service, s string) (account, error) {
	domain, name, hasDomain := strings.Cut(s, `\`)
	if !hasDomain {
		domain, name = "", s
	}
	word := strings.ToLower(strings.ReplaceAll(name, " ", ""))
	switch {
	case domain == "" || strings.EqualFold(domain, "NT AUTHORITY"):
		switch word {
		case "", "localsystem", "system":
			return account{"LocalSystem", localSystem}, nil
		case "localservice":
			return account{`NT AUTHORITY\LocalService`, builtIn}, nil
		case "networkservice":
			return account{`NT AUTHORITY\NetworkService`, builtIn}, nil
		}
		if domain != "" {
			return account{}, fmt.Errorf(`account "%s" is none that a service can run as; use LocalSystem, LocalService or NetworkService`, s)
		}
	case domain == "." && word == "localsystem":
		return account{"LocalSystem", localSystem}, nil
	case strings.EqualFold(domain, "NT SERVICE"):
		if !strings.EqualFold(name, service) {
			return account{}, fmt.Errorf(`account "%s" belongs to another service; the one of this service is "NT SERVICE\%s"`, s, service)
		}
		return account{`NT SERVICE\` + service, virtual}, nil
	case name == "":
		return account{}, fmt.Errorf(`account "%s" has no name behind the domain`, s)
	}
	switch {
	case hasDomain:
	case strings.Contains(s, "@"):
		return account{s, user}, nil
	default:
		domain = "."
	}
	a := account{domain + `\` + name, user}
	if strings.HasSuffix(name, "$") {
		if domain == "." {
			return account{}, fmt.Errorf(`account "%s" lacks its domain: a managed account is DOMAIN\name$`, s)
		}
		a.kind = managed
	}
	return a, nil
}

// sameAccount reports whether two names mean one account; the SCM keeps accounts of the machine with ".".
func sameAccount(a, b, computer string) bool {
	local := func(s string) string {
		if domain, name, ok := strings.Cut(s, `\`); ok && strings.EqualFold(domain, computer) {
			return `.\` + name
		}
		return s
	}
	return strings.EqualFold(local(a), local(b))
}

// needsLogonRight reports whether someone must give the account the right to log on as a service: the
// others have it.
func (a account) needsLogonRight() bool { return a.kind == user || a.kind == managed }

// privileges are those that the host needs for its features. The SCM takes all others from the process, and
// children inherit what is left. The SCM refuses to start a service with a privilege that the account does
// not have (1297), so only accounts whose privileges are known get a list; nil leaves the account's own.
// https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_required_privileges_infow
func (a account) privileges() []string {
	switch a.kind {
	case localSystem:
		return []string{
			"SeAssignPrimaryTokenPrivilege",   // user: a child as another user
			"SeBackupPrivilege",               // user: the profile of that account
			"SeChangeNotifyPrivilege",         // is never taken away
			"SeImpersonatePrivilege",          // who asks on the control pipe; limits of what a child's account may see
			"SeIncreaseBasePriorityPrivilege", // priority: held for the whole tree
			"SeIncreaseQuotaPrivilege",        // user: as above
			"SeRestorePrivilege",              // user: as above
			"SeTcbPrivilege",                  // session: user
		}
	case builtIn:
		return []string{
			"SeAssignPrimaryTokenPrivilege",
			"SeChangeNotifyPrivilege",
			"SeImpersonatePrivilege",
			"SeIncreaseQuotaPrivilege",
		}
	case virtual, managed, user:
	}
	return nil
}
