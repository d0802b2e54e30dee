package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

func TestLogonErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		account    string
		err        error
		kind       ErrKind
		text, hint string
	}{
		{`DOM\svc`, windows.ERROR_LOGON_FAILURE, ErrUser, "password is wrong", "password:"},
		{`DOM\web$`, windows.ERROR_LOGON_FAILURE, ErrUser, "no password for it", "Test-ADServiceAccount web"},
		{`NT SERVICE\web`, windows.ERROR_LOGON_FAILURE, ErrUser, "virtual account", "service that is installed"},
		{`NT SERVICE\web`, windows.ERROR_NONE_MAPPED, ErrUser, "no such virtual account", "service that is installed"},
		{`LocalService`, windows.ERROR_LOGON_FAILURE, ErrUser, "does not sign it in", "LocalSystem"},
		{`DOM\svc`, windows.ERROR_LOGON_TYPE_NOT_GRANTED, ErrUser, "log on as a service", "SeServiceLogonRight"},
		{`DOM\svc`, windows.ERROR_PRIVILEGE_NOT_HELD, ErrPermission, "not the right", "LocalSystem, LocalService or NetworkService"},
		{`DOM\svc`, windows.ERROR_NONE_MAPPED, ErrUser, "no such account", `.\name`},
		{`DOM\svc`, windows.ERROR_ACCOUNT_RESTRICTION, ErrUser, "restriction", "policy"},
		{`DOM\svc`, windows.ERROR_ACCOUNT_LOCKED_OUT, ErrUser, "locked", "unlock"},
		{`DOM\svc`, windows.ERROR_PASSWORD_EXPIRED, ErrUser, "expired", "never expires"},
		{`DOM\svc`, windows.ERROR_NO_LOGON_SERVERS, ErrResources, "no domain controller", ""},
		{`DOM\svc`, windows.ERROR_INVALID_PARAMETER, ErrUser, `cannot sign in "DOM\svc"`, ""},
	} {
		var e *Error
		if !errors.As(logonError(parseAccount(c.account), c.err), &e) {
			t.Fatalf("%v gives no *Error", c.err)
		}
		if e.Kind != c.kind || !strings.Contains(e.Message, c.text) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s, %v: %s %q hint %q", c.account, c.err, e.Kind, e.Message, e.Hint)
		}
	}
}

// An account that is locked takes everything with it that runs under its name.
func TestWrongPasswordIsNotTriedAgainAtOnce(t *testing.T) {
	sec := newRecorder()
	account := fmt.Sprintf(`DOM\locky%d`, rand.Int64()) // one that no earlier run of this test has tried
	sec.sids[account] = "S-1-5-21-1-2-3-1002"
	r := Request{User: account, Password: &Secret{From: "env", Name: "PW"}}
	sec.fail["logon"] = windows.ERROR_LOGON_FAILURE
	for range 5 {
		if _, err := identify(sec, r, passwordIs("wrong", nil), nil); err == nil {
			t.Fatal("signed in with a wrong password")
		}
	}
	logons := 0
	for _, c := range sec.calls {
		if strings.HasPrefix(c, "logon") {
			logons++
		}
	}
	if logons != 1 {
		t.Errorf("the same wrong password was tried %d times", logons)
	}
	delete(sec.fail, "logon")
	id, err := identify(sec, r, passwordIs("right", nil), nil)
	if err != nil {
		t.Fatalf("another password: %v", err)
	}
	id.free()
	sec.checkClean(t)

	var f failedLogons
	now := time.Now()
	a := parseAccount(`DOM\svc`)
	f.note(a, "x", now)
	if f.refuse(a, "x", now.Add(passwordPause-time.Second)) == nil {
		t.Error("tried again before the pause was over")
	}
	if err := f.refuse(a, "x", now.Add(passwordPause)); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

func TestPasswordIsNeverInAnError(t *testing.T) {
	const secret = "hunter2-secret"
	sec := newRecorder()
	sec.sids[`DOM\svc3`] = "S-1-5-21-1-2-3-1003"
	sec.fail["logon"] = windows.ERROR_LOGON_FAILURE
	r := Request{User: `DOM\svc3`, Password: &Secret{From: "env", Name: "PW"}}
	for range 2 {
		_, err := identify(sec, r, passwordIs(secret, nil), nil)
		var e *Error
		if !errors.As(err, &e) || strings.Contains(e.Message+e.Hint, secret) {
			t.Errorf("error %v", err)
		}
	}
}

func TestPasswordMustBeFound(t *testing.T) {
	for name, find := range map[string]passwords{
		"not found":    passwordIs("", errors.New("no such file")),
		"can't be had": nil,
	} {
		sec := newRecorder()
		sec.sids[`DOM\svc`] = "S-1-5-21-1-2-3-1001"
		if _, err := identify(sec, service, find, nil); err == nil {
			t.Errorf("%s: signed in", name)
		}
		sec.checkClean(t)
	}
	sec := newRecorder()
	sec.sids[`DOM\svc`] = "S-1-5-21-1-2-3-1001"
	if _, err := identify(sec, Request{User: `DOM\svc`}, passwordIs("x", nil), nil); err == nil || !strings.Contains(err.Error(), "no password is set") {
		t.Errorf("without password: %v", err)
	}
}
