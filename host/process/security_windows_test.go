package process

import (
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// What any user may ask of the system about itself.
func TestSecurityOfThisMachine(t *testing.T) {
	sec := winSecurity{}
	own, err := sec.own(ownTokenAccess)
	if err != nil {
		t.Fatal(err)
	}
	defer sec.close(own)
	sid, err := sec.user(own)
	if err != nil || !strings.HasPrefix(sid, "S-1-5-") {
		t.Errorf("user %q, %v", sid, err)
	}
	for name, want := range map[string]string{`NT AUTHORITY\LocalService`: sidLocalService, `NT AUTHORITY\NetworkService`: sidNetworkService} {
		if got, err := sec.lookup(name); err == nil && got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if _, err := sec.lookup(`.\nobody-is-called-that`); err == nil {
		t.Error("an account that is not there was found")
	}
	env, err := sec.environ(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SYSTEMROOT", "USERPROFILE", "PATH"} {
		found := false
		for _, kv := range env {
			k, v, _ := strings.Cut(kv, "=")
			found = found || strings.EqualFold(k, name) && v != ""
		}
		if !found {
			t.Errorf("no %s in the environment of the own account: %q", name, env)
		}
	}
	if _, err := sec.ownSession(); err != nil {
		t.Error(err)
	}
	if _, err := sec.sessions(); err != nil {
		t.Error(err)
	}
	c, err := sec.duplicate(own, ownTokenAccess, windows.SecurityImpersonation, windows.TokenPrimary)
	if err != nil {
		t.Fatal(err)
	}
	sec.close(c)
}

// Privileges that were switched on for one call must not stay on, nor on a thread that goes on.
func TestPrivilegesAreOnForOneCallOnly(t *testing.T) {
	ran := false
	if err := withPrivileges(profilePrivileges, func() error {
		ran = true
		return windows.ERROR_CANCELLED
	}); err != windows.ERROR_CANCELLED || !ran {
		t.Errorf("error %v, ran %v", err, ran)
	}
	var thread windows.Token
	if err := windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &thread); err == nil {
		thread.Close()
		t.Error("this thread has a token of its own")
	}
}
