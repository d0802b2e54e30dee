package process

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// recorder is a security that notes what is asked of it and fails where it is told to.
type recorder struct {
	calls   []string
	open    map[windows.Token]string
	last    windows.Token
	fail    map[string]error // by the name of the call
	me      string           // SID of this process
	sids    map[string]string
	session uint32 // of this process
	console uint32
	list    []session
	users   map[uint32]string // who is signed in, by session
	profile bool
	noToken bool // a logon succeeds and gives none, as that of Wine does
}

func newRecorder() *recorder {
	return &recorder{open: map[windows.Token]string{}, fail: map[string]error{}, me: sidLocalSystem,
		sids: map[string]string{}, users: map[uint32]string{}}
}

func (r *recorder) note(call string, format string, args ...any) error {
	r.calls = append(r.calls, strings.TrimSpace(call+" "+fmt.Sprintf(format, args...)))
	return r.fail[call]
}

func (r *recorder) token(name string) windows.Token {
	r.last++
	r.open[r.last] = name
	return r.last
}

func (r *recorder) own(access uint32) (windows.Token, error) {
	if err := r.note("own", "%#x", access); err != nil {
		return 0, err
	}
	return r.token("own"), nil
}

func (r *recorder) user(windows.Token) (string, error) { return r.me, r.fail["user"] }

func (r *recorder) lookup(name string) (string, error) {
	if err := r.fail["lookup"]; err != nil {
		return "", err
	}
	if sid, ok := r.sids[name]; ok {
		return sid, nil
	}
	return "", windows.ERROR_NONE_MAPPED
}

func text(p *string) string {
	if p == nil {
		return "NULL"
	}
	return quoteName(*p)
}

func (r *recorder) logon(user string, domain, password *string, kind, provider uint32) (windows.Token, error) {
	if err := r.note("logon", "%s %s %s type %d provider %d", user, text(domain), text(password), kind, provider); err != nil {
		return 0, err
	}
	if r.noToken {
		return 0, nil
	}
	return r.token("logon"), nil
}

func (r *recorder) restrict(t windows.Token, flags uint32) (windows.Token, error) {
	if err := r.note("restrict", "%s flags %d", r.open[t], flags); err != nil {
		return 0, err
	}
	return r.token("restricted"), nil
}

func (r *recorder) duplicate(t windows.Token, access, level, kind uint32) (windows.Token, error) {
	if err := r.note("duplicate", "%s access %#x level %d type %d", r.open[t], access, level, kind); err != nil {
		return 0, err
	}
	return r.token("copy"), nil
}

func (r *recorder) setIntegrity(t windows.Token, sid string) error {
	return r.note("integrity", "%s %s", r.open[t], sid)
}

func (r *recorder) loadProfile(t windows.Token, user string, flags uint32) (windows.Handle, error) {
	if err := r.note("load", "%s %s flags %d", r.open[t], user, flags); err != nil {
		return 0, err
	}
	r.profile = true
	return 99, nil
}

func (r *recorder) unloadProfile(t windows.Token, h windows.Handle) error {
	if h == 99 {
		r.profile = false
	}
	return r.note("unload", "%s %d", r.open[t], h)
}

func (r *recorder) environ(t windows.Token) ([]string, error) {
	return []string{`USERPROFILE=C:\Users\svc`, "Path=user", "TEMP=user", `=C:=C:\`}, r.note("environ", "%s", r.open[t])
}

func (r *recorder) ownSession() (uint32, error)  { return r.session, r.fail["ownSession"] }
func (r *recorder) consoleSession() uint32       { return r.console }
func (r *recorder) sessions() ([]session, error) { return r.list, r.fail["sessions"] }

func (r *recorder) sessionToken(id uint32) (windows.Token, error) {
	if err := r.note("session", "%d", id); err != nil {
		return 0, err
	}
	if r.users[id] == "" {
		return 0, windows.ERROR_NO_TOKEN
	}
	return r.token(r.users[id]), nil
}

func (r *recorder) close(t windows.Token) {
	if _, ok := r.open[t]; !ok {
		panic(fmt.Sprintf("token %d closed twice", t))
	}
	delete(r.open, t)
}

// checkClean fails if a token is open or a profile loaded.
func (r *recorder) checkClean(t *testing.T) {
	t.Helper()
	if len(r.open) > 0 || r.profile {
		t.Errorf("left behind: tokens %v, profile %v", r.open, r.profile)
	}
}

// service is what a service that runs as DOM\svc asks for.
var service = Request{User: `DOM\svc`, Password: &Secret{From: "dpapi", Name: "db"}, RestrictedToken: true, Integrity: "low"}

func passwordIs(text string, err error) passwords {
	return func(Secret) (string, error) { return text, err }
}

func (r *recorder) checkCalls(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.calls, want) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(r.calls, "\n"), strings.Join(want, "\n"))
	}
}

func TestPlainRequestNeedsNoToken(t *testing.T) {
	sec := newRecorder()
	id, err := identify(sec, Request{Path: `C:\a.exe`}, nil, nil)
	if id != nil || err != nil {
		t.Errorf("identity %+v, %v", id, err)
	}
	sec.checkCalls(t)
}

func TestAccountsAreSignedInForAService(t *testing.T) {
	const pw = `"secret"`
	for name, want := range map[string]string{
		`NT AUTHORITY\LocalService`:   `logon LocalService "NT AUTHORITY" NULL type 5 provider 0`,
		`LocalService`:                `logon LocalService "NT AUTHORITY" NULL type 5 provider 0`,
		`nt authority\local service`:  `logon LocalService "NT AUTHORITY" NULL type 5 provider 0`,
		`NetworkService`:              `logon NetworkService "NT AUTHORITY" NULL type 5 provider 0`,
		`NT AUTHORITY\NetworkService`: `logon NetworkService "NT AUTHORITY" NULL type 5 provider 0`,
		`NT SERVICE\web`:              `logon web "NT SERVICE" NULL type 5 provider 4`,
		`DOM\web$`:                    `logon web$ "DOM" "_SA_{262E99C9-6160-4871-ACEC-4E61736B6F21}" type 5 provider 0`,
		`DOM\web`:                     `logon web "DOM" ` + pw + ` type 5 provider 0`,
		`.\web`:                       `logon web "." ` + pw + ` type 5 provider 0`,
		`web`:                         `logon web "." ` + pw + ` type 5 provider 0`,
		`web@dom.example`:             `logon web@dom.example NULL ` + pw + ` type 5 provider 0`,
	} {
		sec := newRecorder()
		sec.sids[parseAccount(name).lookupName()] = "S-1-5-21-1-2-3-1001"
		id, err := identify(sec, Request{User: name, Password: &Secret{From: "env", Name: "PW"}}, passwordIs("secret", nil), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Contains(sec.calls, want) {
			t.Errorf("%s: %q, want %q", name, sec.calls, want)
		}
		if id.desktop == nil || *id.desktop != "" {
			t.Errorf("%s: desktop %v, want an empty name: that of its own logon", name, id.desktop)
		}
		id.free()
		sec.checkClean(t)
	}
}

func TestIdentityOfAnotherUserIsWhole(t *testing.T) {
	sec := newRecorder()
	sec.sids[`DOM\svc`] = "S-1-5-21-1-2-3-1001"
	id, err := identify(sec, service, passwordIs("secret", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	u := &run{who: id}
	if sec.open[u.token()] != "restricted" {
		t.Errorf("the process gets the token %q", sec.open[u.token()])
	}
	if jobs := u.jobs(7); len(jobs) != 2 || jobs[0] != 7 {
		t.Errorf("jobs %v", jobs)
	}
	id.free()
	sec.checkCalls(t, "own 0x8",
		`logon svc "DOM" "secret" type 5 provider 0`,
		"load logon svc flags 1",
		"environ logon",
		"restrict logon flags 1",
		"integrity restricted S-1-16-4096",
		"unload logon 99")
	sec.checkClean(t)
}

func TestNothingIsLeftWhereItFails(t *testing.T) {
	for _, call := range []string{"own", "user", "logon", "environ", "restrict", "duplicate", "integrity"} {
		sec := newRecorder()
		sec.sids[`DOM\svc`] = "S-1-5-21-1-2-3-1001"
		sec.fail[call] = windows.ERROR_INVALID_PARAMETER
		r := service
		r.RestrictedToken = call != "duplicate"
		id, err := identify(sec, r, passwordIs("secret", nil), nil)
		if id != nil || err == nil {
			t.Errorf("%s fails: identity %v, error %v", call, id, err)
			id.free()
		}
		if e := (*Error)(nil); !errors.As(err, &e) {
			t.Errorf("%s fails: %v is no *Error", call, err)
		}
		sec.checkClean(t)
	}
}

// A process without a token would have that of the host.
func TestLogonWithoutATokenIsNone(t *testing.T) {
	sec := newRecorder()
	sec.noToken = true
	if id, err := identify(sec, Request{User: "LocalService"}, nil, nil); id != nil || err == nil {
		t.Errorf("identity %+v, %v", id, err)
	}
	sec.checkClean(t)
}

func TestOwnTokenIsWeakened(t *testing.T) {
	for _, c := range []struct {
		r    Request
		want []string
	}{
		{Request{RestrictedToken: true}, []string{"own 0x8b", "restrict own flags 1"}},
		{Request{Integrity: "medium"}, []string{"own 0x8b", "duplicate own access 0x8b level 2 type 1", "integrity copy S-1-16-8192"}},
		{Request{RestrictedToken: true, Integrity: "low"}, []string{"own 0x8b", "restrict own flags 1", "integrity restricted S-1-16-4096"}},
	} {
		sec := newRecorder()
		id, err := identify(sec, c.r, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		sec.checkCalls(t, c.want...)
		if id.desktop != nil || id.name != "" {
			t.Errorf("it is not the own user any more: %+v", id)
		}
		id.free()
		sec.checkClean(t)
	}
}

func TestUserOfTheHostNeedsNoToken(t *testing.T) {
	for name, me := range map[string]string{"LocalSystem": sidLocalSystem, `DOM\svc`: "S-1-5-21-1-2-3-1001"} {
		sec := newRecorder()
		sec.me = me
		sec.sids[`DOM\svc`] = "S-1-5-21-1-2-3-1001"
		id, err := identify(sec, Request{User: name}, nil, nil)
		if id != nil || err != nil {
			t.Errorf("%s: identity %+v, %v", name, id, err)
		}
		sec.checkCalls(t, "own 0x8")
		sec.checkClean(t)
	}
}

func TestLocalSystemIsNotForOthers(t *testing.T) {
	sec := newRecorder()
	sec.me = "S-1-5-21-1-2-3-500"
	_, err := identify(sec, Request{User: "LocalSystem"}, nil, nil)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != ErrPermission {
		t.Errorf("error %v", err)
	}
	sec.checkClean(t)
}

func TestProfileThatCannotBeLoadedIsAWarning(t *testing.T) {
	sec := newRecorder()
	sec.sids[`DOM\svc`] = "S-1-5-21-1-2-3-1001"
	sec.fail["load"] = windows.ERROR_PRIVILEGE_NOT_HELD
	var warned string
	id, err := identify(sec, service, passwordIs("secret", nil), func(about, m string) { warned = about + ": " + m })
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(warned, `profile: cannot load the profile of "DOM\svc"`) {
		t.Errorf("warned %q", warned)
	}
	id.free()
	if slices.ContainsFunc(sec.calls, func(c string) bool { return strings.HasPrefix(c, "unload") }) {
		t.Error("a profile that was not loaded was unloaded")
	}
	sec.checkClean(t)
}

func TestStartErrorNamesTheAccount(t *testing.T) {
	id := &identity{name: `DOM\svc`}
	for code, want := range map[error]string{
		windows.ERROR_PRIVILEGE_NOT_HELD: `the host has not the right to start programs as "DOM\svc"`,
		windows.ERROR_ACCESS_DENIED:      `"DOM\svc" may not run the program`,
	} {
		if err := id.startError(code); !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := (*identity)(nil).startError(windows.ERROR_ACCESS_DENIED); err != windows.ERROR_ACCESS_DENIED {
		t.Errorf("without an identity: %v", err)
	}
}
