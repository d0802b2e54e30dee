package cli

import (
	"strings"
	"testing"
)

func TestOnlyUsersHavePasswords(t *testing.T) {
	for account, want := range map[string]bool{
		"": false, "LocalSystem": false, `.\LocalSystem`: false, `.\localsystem`: false, `NT AUTHORITY\SYSTEM`: false, "LocalService": false,
		`NT SERVICE\host`: false, `CORP\svc$`: false, `CORP\ops`: true, `.\ops`: true, "ops@corp.example": true,
	} {
		if got := needsPassword(account); got != want {
			t.Errorf("%q needs a password: %v, want %v", account, got, want)
		}
	}
}

// LocalSystem is warned of where nobody said that it shall be so.
func TestInstallWarnsOfLocalSystemThatNobodyChose(t *testing.T) {
	if w := warnOfAccount("orders", ""); !strings.Contains(w, `--account "NT SERVICE\orders"`) {
		t.Errorf("%q", w)
	}
	for _, account := range []string{"LocalSystem", `.\LocalSystem`, `NT SERVICE\orders`, `CORP\ops`} {
		if w := warnOfAccount("orders", account); w != "" {
			t.Errorf("%s: %q", account, w)
		}
	}
}
