package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

const (
	me       = "S-1-5-21-1-2-3-1001"
	somebody = "S-1-5-21-1-2-3-1002"
	service  = "S-1-5-80-1-2-3-4-5"
	admins   = "S-1-5-32-544"
)

func sid(t *testing.T, text string) *windows.SID {
	t.Helper()
	s, err := windows.StringToSid(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fakeSystem has the folders of owners, by path, and writes down what is asked of it.
type fakeSystem struct {
	owners   map[string]string
	elevated bool
	calls    []string
}

func (f *fakeSystem) system(t *testing.T) system {
	return system{
		mkdir: func(path, sddl string) error {
			if _, ok := f.owners[path]; ok {
				return windows.ERROR_ALREADY_EXISTS
			}
			f.calls = append(f.calls, "mkdir "+path+" "+sddl)
			return nil
		},
		mkdirAll: func(string) error { return nil },
		owner: func(path string, follow bool) (*windows.SID, error) {
			who := f.owners[path]
			if target, ok := f.owners[path+" target"]; ok && follow {
				who = target
			}
			if who == "" {
				return nil, windows.ERROR_ACCESS_DENIED
			}
			return sid(t, who), nil
		},
		grant: func(path string, account *windows.SID) error {
			f.calls = append(f.calls, "grant "+path+" "+account.String())
			return nil
		},
		exists: func(path string) bool { _, ok := f.owners[path]; return ok },
		lookup: func(account string) (*windows.SID, error) {
			switch account {
			case "":
				return windows.CreateWellKnownSid(windows.WinLocalSystemSid)
			case `NT SERVICE\orders`:
				return sid(t, service), nil
			}
			return nil, windows.ERROR_NONE_MAPPED
		},
		self:        func() (*windows.SID, error) { return sid(t, me), nil },
		elevated:    func() bool { return f.elevated },
		programData: func() string { return `C:\ProgramData` },
	}
}

const (
	both  = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
	look  = "(A;OICI;0x1200a9;;;AU)"
	top   = `C:\ProgramData\servicehost`
	state = `C:\ProgramData\servicehost\orders`
)

func full(who string) string { return "(A;OICI;FA;;;" + who + ")" }

func TestPrivateDirAsksForExactlyThis(t *testing.T) {
	account := func(s string) *string { return &s }
	for _, c := range []struct {
		name    string
		fake    fakeSystem
		account *string
		want    []string
	}{
		{"service account, nothing there", fakeSystem{}, nil, []string{"mkdir " + top + " " + both + full(me) + look, "mkdir " + state + " " + both + full(me)}},
		{"elevated, nothing there", fakeSystem{elevated: true}, nil, []string{"mkdir " + top + " O:BA" + both + look, "mkdir " + state + " O:BA" + both + full(me)}},
		{"for the system", fakeSystem{elevated: true}, account(""), []string{"mkdir " + top + " O:BA" + both + look, "mkdir " + state + " O:BA" + both}},
		{"for a service", fakeSystem{elevated: true, owners: map[string]string{top: admins}}, account(`NT SERVICE\orders`),
			[]string{"mkdir " + state + " O:BA" + both + full(service)}},
		{"for a service, once more", fakeSystem{elevated: true, owners: map[string]string{top: admins, state: "S-1-5-18"}}, account(`NT SERVICE\orders`),
			[]string{"grant " + state + " " + service}},
		{"own folder", fakeSystem{owners: map[string]string{top: trustedInstaller, state: me}}, nil, nil},
		{"one that the service made", fakeSystem{elevated: true, owners: map[string]string{top: admins, state: service}}, account(`NT SERVICE\orders`),
			[]string{"grant " + state + " " + service}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.fake.system(t).makePrivateDir(state, c.account); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.fake.calls, c.want) {
				t.Errorf("asked for\n  %s\nwant\n  %s", strings.Join(c.fake.calls, "\n  "), strings.Join(c.want, "\n  "))
			}
			for _, call := range c.fake.calls {
				if f := strings.Fields(call); f[0] == "mkdir" {
					if _, err := windows.SecurityDescriptorFromString(f[2]); err != nil {
						t.Errorf("descriptor %s: %v", f[2], err)
					}
				}
			}
		})
	}
}

func TestSquattedFolderIsRefused(t *testing.T) {
	for name, owners := range map[string]map[string]string{
		"the folder":          {top: admins, state: somebody},
		"the one above":       {top: somebody},
		"a link of somebody":  {top: admins, state: somebody, state + " target": admins},
		"a target":            {top: admins, state: admins, state + " target": somebody},
		"one that says no":    {top: admins, state: ""},
		"of somebody's group": {top: admins, state: "S-1-5-32-545"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeSystem{elevated: true, owners: owners}
			err := f.system(t).makePrivateDir(state, nil)
			if unfit, ok := errors.AsType[*Unfit](err); !ok || !strings.Contains(unfit.Hint, "icacls") {
				t.Errorf("error is %v", err)
			}
			if len(f.calls) != 0 {
				t.Errorf("it was used all the same: %q", f.calls)
			}
		})
	}
}

func TestBelowIgnoresCaseAndRespectsNames(t *testing.T) {
	for path, want := range map[string]bool{`c:\programdata\x`: true, `C:\ProgramData`: false, `C:\ProgramData2\x`: false, `C:\ProgramData\`: false, `D:\x`: false} {
		if got := below(path, `C:\ProgramData\`); got != want {
			t.Errorf("below(%s) is %t", path, got)
		}
	}
}

func TestPrivateDirOnThisSystem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "state")
	for range 2 {
		if err := MakePrivateDir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(path, "x"), []byte("x"), 0o600); err != nil {
		t.Error(err)
	}
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		return // it keeps no access lists
	}
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	if got := sd.String(); !strings.HasPrefix(got, "D:P") || strings.Contains(got, ";;;BU)") || strings.Contains(got, ";;;WD)") {
		t.Errorf("access list is %s", got)
	}
}

func TestGrantIsInheritedFullAccess(t *testing.T) {
	e := grantOf(sid(t, service))
	if got := fmt.Sprintf("%#x %d %d", e.AccessPermissions, e.AccessMode, e.Inheritance); got != "0x1f01ff 1 3" {
		t.Errorf("entry is %s", got)
	}
}

func TestLongPathsGetTheirPrefix(t *testing.T) {
	tail := strings.Repeat(`\0123456789`, 30)
	for path, want := range map[string]string{
		`C:\x`:                    `C:\x`,
		`C:` + tail:               `\\?\C:` + tail,
		`C:\a\..` + tail:          `\\?\C:` + tail,
		`\\srv\share` + tail:      `\\?\UNC\srv\share` + tail,
		`\\?\C:` + tail:           `\\?\C:` + tail,
		`\\.\pipe` + tail:         `\\.\pipe` + tail,
		`C:/` + tail[1:] + `/end`: `\\?\C:` + tail + `\end`,
	} {
		if got := Long(path); got != want {
			t.Errorf("Long(%.20s…) is %.30s…, want %.30s…", path, got, want)
		}
	}
}

func TestFolderBehindALongPathIsMade(t *testing.T) {
	path := t.TempDir()
	for range 6 {
		path = filepath.Join(path, strings.Repeat("x", 60))
	}
	if err := MakePrivateDir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		t.Errorf("%v", err)
	}
}

func TestAccountsOfServicesAreKnown(t *testing.T) {
	for name, want := range map[string]string{
		"": "S-1-5-18", "LocalSystem": "S-1-5-18", `NT AUTHORITY\SYSTEM`: "S-1-5-18", "LocalService": "S-1-5-19",
		`NT AUTHORITY\Local Service`: "S-1-5-19", `NT AUTHORITY\NetworkService`: "S-1-5-20",
	} {
		if got, err := lookup(name); err != nil || got.String() != want {
			t.Errorf("%q is %s, %v", name, got, err)
		}
	}
}
