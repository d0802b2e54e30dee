package osservice

import "testing"

func TestAccountsAreKnownByTheNamesPeopleWrite(t *testing.T) {
	for in, want := range map[string]account{
		"":                           {"LocalSystem", localSystem},
		"LocalSystem":                {"LocalSystem", localSystem},
		`.\LocalSystem`:              {"LocalSystem", localSystem},
		`NT AUTHORITY\SYSTEM`:        {"LocalSystem", localSystem},
		"LocalService":               {`NT AUTHORITY\LocalService`, builtIn},
		`nt authority\local service`: {`NT AUTHORITY\LocalService`, builtIn},
		"Network Service":            {`NT AUTHORITY\NetworkService`, builtIn},
		`nt service\HOST`:            {`NT SERVICE\host`, virtual},
		`CORP\svc$`:                  {`CORP\svc$`, managed},
		`CORP\ops`:                   {`CORP\ops`, user},
		"ops":                        {`.\ops`, user},
		"ops@corp.example":           {"ops@corp.example", user},
		`BOX\Jürgen`:                 {`BOX\Jürgen`, user},
	} {
		if got, err := parseAccount("host", in); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{`NT SERVICE\web`, `NT AUTHORITY\nobody`, `CORP\`, "svc$"} {
		if got, err := parseAccount("host", in); err == nil {
			t.Errorf("%q was taken as %+v", in, got)
		}
	}
}

func TestSameAccountKnowsTheMachine(t *testing.T) {
	if !sameAccount(`.\ops`, `box\OPS`, "BOX") || sameAccount(`.\ops`, `CORP\ops`, "BOX") || !sameAccount("LocalSystem", "localsystem", "BOX") {
		t.Error("accounts are confused")
	}
}

// A service does not start (error 1297) when it requires what its account does not have.
func TestPrivilegesAreOnlyRequiredWhereTheAccountHasThem(t *testing.T) {
	for _, k := range []accountKind{virtual, managed, user} {
		if list := (account{kind: k}).privileges(); list != nil {
			t.Errorf("kind %d requires %v", k, list)
		}
	}
	for _, p := range (account{kind: builtIn}).privileges() {
		switch p {
		case "SeTcbPrivilege", "SeBackupPrivilege", "SeRestorePrivilege", "SeIncreaseBasePriorityPrivilege":
			t.Errorf("LocalService and NetworkService don't have %s", p)
		}
	}
}
