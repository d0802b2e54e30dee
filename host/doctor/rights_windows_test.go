package doctor

import (
	"testing"

	"golang.org/x/sys/windows"

	"servicehost/spec"
)

// Wine tells who listens, and not which process that is.
var holdersAreTold = windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil

func TestListsThatLetManyPeopleInAreFound(t *testing.T) {
	for sddl, want := range map[string]struct{ write, read bool }{
		"D:(A;;FA;;;SY)(A;;FA;;;BA)":                       {},
		"D:(A;;FA;;;WD)":                                   {true, true},
		"D:(A;;FA;;;SY)(A;OICI;0x1301bf;;;AU)":             {true, true}, // modify: what a new volume has
		"D:(A;;FA;;;SY)(A;OICIIO;0x1301bf;;;AU)":           {},           // only for what lies in it
		"D:(A;;FA;;;SY)(A;OICI;0x1200a9;;;BU)":             {false, true},
		"D:(A;;FA;;;SY)(A;OICI;0x4;;;BU)":                  {},
		"D:(A;;FA;;;SY)(D;;FA;;;WD)(A;;FR;;;BA)":           {},
		"D:(A;;FA;;;S-1-5-21-1-2-3-1001)":                  {},
		"D:(A;;GA;;;SY)(A;;GW;;;BU)(A;;0x1;;;IU)":          {true, true},
		"D:(A;;FA;;;SY)(A;OICI;0x100000;;;BU)(A;;FR;;;CO)": {},
	} {
		sd, err := windows.SecurityDescriptorFromString(sddl)
		if err != nil {
			t.Fatal(sddl, err)
		}
		if got := grantedBy(sd, toWrite); (got != "") != want.write {
			t.Errorf("%s: may be changed by %q", sddl, got)
		}
		if got := grantedBy(sd, toRead); (got != "") != want.read {
			t.Errorf("%s: may be read by %q", sddl, got)
		}
	}
}

func TestNoListLetsEverybodyIn(t *testing.T) {
	sd, err := windows.NewSecurityDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	if err := sd.SetDACL(nil, true, false); err != nil {
		t.Fatal(err)
	}
	if got := grantedBy(sd, toWrite); got == "" {
		t.Error("nobody is said to be let in")
	}
}

func TestAccountsOfTheSystemAreThere(t *testing.T) {
	for _, name := range []string{"", "LocalSystem", `NT AUTHORITY\LocalService`, "Network Service", `NT SERVICE\MSSQLSERVER`} {
		if problem, _ := account(&spec.Service{User: name}); problem != "" {
			t.Errorf("%q: %s", name, problem)
		}
	}
	if problem, hint := account(&spec.Service{User: `.\no-such-user-here`}); problem == "" || hint == "" {
		t.Errorf("an unknown account: %q, %q", problem, hint)
	}
}
