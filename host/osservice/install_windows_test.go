package osservice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

func sample() Config {
	return Config{
		Name: "host", DisplayName: "Host", Description: "Keeps things running", Exe: `C:\Program Files\host.exe`,
		Args: []string{"run", "--service", "host", "-f", `D:\my apps\services.yaml`}, Start: StartAuto, StopBudget: 70 * time.Second,
	}
}

const sampleCommand = `"C:\Program Files\host.exe" run --service host -f "D:\my apps\services.yaml"`

// asSample is what QueryServiceConfig says of an installed sample.
func asSample() basics {
	return basics{
		kind: windows.SERVICE_WIN32_OWN_PROCESS, start: windows.SERVICE_AUTO_START, errorControl: windows.SERVICE_ERROR_NORMAL,
		path: sampleCommand, account: "LocalSystem", display: "Host",
	}
}

func install(t *testing.T, f *fakeSCM, c Config) Result {
	t.Helper()
	r, err := (&manager{api: f}).install(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(p *uint16) string { return windows.UTF16PtrToString(p) }

func TestInstallCreatesTheService(t *testing.T) {
	f := newFakeSCM(t)
	c := sample()
	c.Dependencies = []string{"Tcpip", "Möbel", "订单"}
	r := install(t, f, c)
	if !r.Created || len(r.Changed) != 0 || len(r.Warnings) != 0 {
		t.Errorf("result %+v", r)
	}
	made := f.created
	if made.kind != 0x10 || made.start != 2 || made.errorControl != 1 {
		t.Errorf("type %#x, start %d, error control %d", made.kind, made.start, made.errorControl)
	}
	if got := text(made.path); got != sampleCommand {
		t.Errorf("image path %s", got)
	}
	if text(made.account) != "LocalSystem" || made.password == nil || text(made.password) != "" || text(made.display) != "Host" {
		t.Errorf("account %q, password %v, display name %q", text(made.account), made.password, text(made.display))
	}
	if got := fromMultiString(made.dependencies); !slices.Equal(got, c.Dependencies) {
		t.Errorf("dependencies %q", got)
	}
	if f.access["manager"] != windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_CREATE_SERVICE {
		t.Errorf("rights to the manager: %#x", f.access["manager"])
	}
}

// The structures are what Wine can't show: it takes some without a word and knows others not at all.
func TestInstallRequestsRecoveryIdentityAndShutdown(t *testing.T) {
	f := newFakeSCM(t)
	install(t, f, sample())

	failure := part2[windows.SERVICE_FAILURE_ACTIONS](f, 2)
	if failure.ResetPeriod != 86400 || failure.ActionsCount != 3 || failure.Command != nil || failure.RebootMsg != nil {
		t.Errorf("failure actions %+v", failure)
	}
	want := []windows.SC_ACTION{{Type: 1, Delay: 5000}, {Type: 1, Delay: 30000}, {Type: 1, Delay: 60000}}
	if got := unsafe.Slice(failure.Actions, failure.ActionsCount); !slices.Equal(got, want) {
		t.Errorf("actions %v", got)
	}
	if flag := part2[windows.SERVICE_FAILURE_ACTIONS_FLAG](f, 4); flag.FailureActionsOnNonCrashFailures != 1 {
		t.Errorf("flag %+v", flag)
	}
	if sid := part2[sidInfo](f, 5); sid.kind != 1 {
		t.Errorf("SID type %d", sid.kind)
	}
	privileges := fromMultiString(part2[requiredPrivileges](f, 6).list)
	if !slices.Equal(privileges, account{kind: localSystem}.privileges()) || !slices.Contains(privileges, "SeTcbPrivilege") {
		t.Errorf("privileges %v", privileges)
	}
	if p := part2[preshutdownInfo](f, 7); p.timeoutMs != 70000 {
		t.Errorf("preshutdown %d ms", p.timeoutMs)
	}
	if d := part2[windows.SERVICE_DESCRIPTION](f, 1); text(d.Description) != "Keeps things running" {
		t.Errorf("description %q", text(d.Description))
	}
	if d := part2[windows.SERVICE_DELAYED_AUTO_START_INFO](f, 3); d.IsDelayedAutoStartUp != 0 || slices.Contains(f.calls, "change2 3") {
		t.Errorf("delayed start %+v, calls %v", d, f.calls)
	}
}

func TestInstallTwiceChangesNothing(t *testing.T) {
	f := newFakeSCM(t)
	install(t, f, sample())
	f.config, f.calls = asSample(), nil
	r := install(t, f, sample())
	if r.Created || len(r.Changed) != 0 || len(r.Warnings) != 0 {
		t.Errorf("result %+v", r)
	}
	if slices.ContainsFunc(f.calls, func(c string) bool { return strings.HasPrefix(c, "change") }) {
		t.Errorf("calls %v", f.calls)
	}
	if want := uint32(windows.SERVICE_CHANGE_CONFIG | windows.SERVICE_QUERY_CONFIG | windows.SERVICE_START); f.access["service"] != want {
		t.Errorf("rights to the service: %#x", f.access["service"])
	}
}

func TestInstallChangesWhatDiffers(t *testing.T) {
	f := newFakeSCM(t)
	install(t, f, sample())
	f.config = asSample()
	f.config.start, f.config.errorControl = windows.SERVICE_DEMAND_START, windows.SERVICE_ERROR_IGNORE
	f.config.path, f.config.dependencies = `C:\old.exe`, []string{"Tcpip"}
	c := sample()
	c.Start, c.Account, c.StopBudget = StartDelayed, "NT SERVICE\\host", 2*time.Minute
	f.calls = nil
	r := install(t, f, c)
	want := []string{
		"start type: manual → auto",
		"a failed start: ignored or severe → logged",
		`command: C:\old.exe → ` + sampleCommand,
		"dependencies: Tcpip → none",
		`account: LocalSystem → NT SERVICE\host`,
		"delayed start: off → on",
		"privileges: " + strings.Join(account{kind: localSystem}.privileges(), ", ") + " → all of the account",
		"time to stop at a shutdown: 1m10s → 2m",
	}
	if !slices.Equal(r.Changed, want) {
		t.Errorf("changed\n%s\nwant\n%s", strings.Join(r.Changed, "\n"), strings.Join(want, "\n"))
	}
	got := f.changed
	if got.kind != windows.SERVICE_NO_CHANGE || got.start != 2 || got.errorControl != 1 || got.display != nil {
		t.Errorf("request %+v", got)
	}
	// Cleared is an empty list, not nil; a virtual account is refused with any password.
	if got.dependencies == nil || len(fromMultiString(got.dependencies)) != 0 || got.password != nil {
		t.Errorf("dependencies %v, password %v", got.dependencies, got.password)
	}
	if d := part2[windows.SERVICE_DELAYED_AUTO_START_INFO](f, 3); d.IsDelayedAutoStartUp != 1 {
		t.Errorf("delayed start %+v", d)
	}
	if list := part2[requiredPrivileges](f, 6).list; list == nil || *list != 0 {
		t.Error("the privileges were not cleared")
	}
}

// Windows of old, containers and Wine lack some parts. The rest must be there, and it must be said.
func TestInstallWarnsOfWhatTheSystemLacks(t *testing.T) {
	f := newFakeSCM(t)
	for _, level := range []string{"3", "4", "5", "6"} {
		f.errs["change2 "+level] = windows.ERROR_INVALID_LEVEL
	}
	c := sample()
	c.Start = StartDelayed
	r := install(t, f, c)
	want := []string{
		"this system can't set delayed start (error 124)",
		"this system can't set recovery after an end with an error (error 124)",
		"this system can't set service SID (error 124)",
		"this system can't set privileges (error 124)",
	}
	if !r.Created || !slices.Equal(r.Warnings, want) {
		t.Errorf("result %+v", r)
	}
	if f.name != "host" || part2[preshutdownInfo](f, 7).timeoutMs != 70000 {
		t.Errorf("after it: %q, parts %v", f.name, f.parts)
	}
}

// What can't be read is requested each time, and is no news.
func TestInstallDoesNotReportWhatCannotBeRead(t *testing.T) {
	f := newFakeSCM(t)
	install(t, f, sample())
	f.config = asSample()
	f.unread[windows.SERVICE_CONFIG_FAILURE_ACTIONS] = true
	f.calls = nil
	if r := install(t, f, sample()); len(r.Changed) != 0 {
		t.Errorf("result %+v", r)
	}
	if !slices.Contains(f.calls, "change2 2") {
		t.Errorf("calls %v", f.calls)
	}
}

func TestInstallLeavesNoHalfService(t *testing.T) {
	f := newFakeSCM(t)
	f.errs["change2 2"] = windows.ERROR_INVALID_PARAMETER
	_, err := (&manager{api: f}).install(t.Context(), sample())
	if err == nil || !strings.Contains(err.Error(), `cannot install service "host"`) || !strings.Contains(err.Error(), "recovery") {
		t.Errorf("error %v", err)
	}
	if f.name != "" {
		t.Error("the service is still there")
	}
}

func TestInstallWithAUserAccount(t *testing.T) {
	c := sample()
	c.Account = `CORP\ops`
	f := newFakeSCM(t)
	if _, err := (&manager{api: f}).install(t.Context(), c); err == nil || !strings.Contains(err.Error(), "needs its password") {
		t.Errorf("without a password: %v", err)
	}
	c.Password = "s3cret"
	install(t, f, c)
	if text(f.created.account) != `CORP\ops` || text(f.created.password) != "s3cret" {
		t.Errorf("account %q, password %q", text(f.created.account), text(f.created.password))
	}
	if right, create := slices.Index(f.calls, `logonRight CORP\ops`), slices.Index(f.calls, "create"); right < 0 || right > create {
		t.Errorf("the right to log on was not given first: %v", f.calls)
	}
	// Once more without a password keeps the stored one; with one it is set anew.
	f.config = asSample()
	f.config.account = `CORP\OPS`
	c.Password = ""
	if r := install(t, f, c); len(r.Changed) != 0 {
		t.Errorf("result %+v", r)
	}
	c.Password = "new"
	if r := install(t, f, c); !slices.Equal(r.Changed, []string{"password: set anew"}) || text(f.changed.password) != "new" {
		t.Errorf("result %+v, password %q", r, text(f.changed.password))
	}
}

func TestInstallWithoutARightSaysWhatToDo(t *testing.T) {
	for no, want := range map[windows.Errno]string{
		windows.ERROR_ACCESS_DENIED:             "run it as administrator",
		windows.ERROR_SERVICE_MARKED_FOR_DELETE: "close services.msc",
		windows.ERROR_DUPLICATE_SERVICE_NAME:    "display name",
		windows.ERROR_INVALID_SERVICE_ACCOUNT:   "account is not known",
	} {
		f := newFakeSCM(t)
		f.errs["create"] = no
		_, err := (&manager{api: f}).install(t.Context(), sample())
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, no) {
			t.Errorf("%d: %v", no, err)
		}
	}
}

func TestInstallRefusesBadInput(t *testing.T) {
	for want, edit := range map[string]func(*Config){
		"name must have":                         func(c *Config) { c.Name = `a\b` },
		"zero character":                         func(c *Config) { c.Dependencies = []string{"a\x00b"} },
		"is not absolute":                        func(c *Config) { c.Exe = "host.exe" },
		"longer than":                            func(c *Config) { c.Args = []string{strings.Repeat("x", maxCommand)} },
		"start type":                             func(c *Config) { c.Start = "often" },
		`has no password`:                        func(c *Config) { c.Account, c.Password = "LocalService", "x" },
		`the one of this service is "NT SERVICE`: func(c *Config) { c.Account = `NT SERVICE\web` },
	} {
		c := sample()
		edit(&c)
		f := newFakeSCM(t)
		if _, err := (&manager{api: f}).install(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
		if len(f.calls) != 0 {
			t.Errorf("%q: the SCM was asked: %v", want, f.calls)
		}
	}
}

func TestInstallHearsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&manager{api: newFakeSCM(t)}).install(ctx, sample()); !strings.Contains(err.Error(), "context canceled") {
		t.Error(err)
	}
}

func TestMultiStringKeepsNamesThatAreNotASCII(t *testing.T) {
	for _, list := range [][]string{nil, {"a"}, {"Möbel", "订单", "😀x", "last"}} {
		if got := fromMultiString(multiString(list)); !slices.Equal(got, list) {
			t.Errorf("%q became %q", list, got)
		}
	}
	if got := unsafe.Slice(multiString([]string{"ab"}), 4); !slices.Equal(got, []uint16{'a', 'b', 0, 0}) {
		t.Errorf("units %v", got)
	}
}
