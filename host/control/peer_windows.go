package control

import (
	"errors"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/sys/windows"
)

// policy says who has which access; group is nil without a control group.
type policy struct{ owner, group *windows.SID }

var impersonateNamedPipeClient = windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient")

// identify looks at the token of the client: who it is and which groups are enabled in it, so that an
// administrator without elevation is not taken for one.
func identify(c net.Conn, p policy) (peer, error) {
	h, ok := pipeHandle(c)
	if !ok {
		return peer{}, errors.New("not a pipe")
	}
	token, err := clientToken(h)
	if err != nil {
		return peer{}, fmt.Errorf("cannot tell who is calling: %w", err)
	}
	defer token.Close()
	u, err := token.GetTokenUser()
	if err != nil {
		return peer{}, fmt.Errorf("cannot tell who is calling: %w", err)
	}
	return peer{access: p.access(token, u.User.Sid), name: accountName(u.User.Sid)}, nil
}

// clientToken takes the client's identity on for a moment, on a thread that is ended rather than given
// back should it not get rid of it.
func clientToken(pipe windows.Handle) (windows.Token, error) {
	type result struct {
		token windows.Token
		err   error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		if ok, _, err := impersonateNamedPipeClient.Call(uintptr(pipe)); ok == 0 {
			runtime.UnlockOSThread()
			done <- result{err: err}
			return
		}
		var t windows.Token
		err := windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY|windows.TOKEN_DUPLICATE, true, &t)
		if rerr := windows.RevertToSelf(); rerr == nil {
			runtime.UnlockOSThread()
		}
		done <- result{t, err}
	}()
	r := <-done
	return r.token, r.err
}

func (p policy) access(token windows.Token, user *windows.SID) Access {
	if p.owner != nil && user.Equals(p.owner) || user.IsWellKnown(windows.WinLocalSystemSid) {
		return Admin
	}
	if admins, err := windows.CreateWellKnownSid(windows.WinBuiltinAdministratorsSid); err == nil {
		if yes, err := token.IsMember(admins); err == nil && yes {
			return Admin
		}
	}
	if p.group != nil {
		if yes, err := token.IsMember(p.group); err == nil && yes {
			return Act
		}
	}
	return None
}

func accountName(sid *windows.SID) string {
	account, domain, _, err := sid.LookupAccount("")
	switch {
	case err != nil || account == "":
		return sid.String()
	case domain == "":
		return account
	default:
		return domain + `\` + account
	}
}
