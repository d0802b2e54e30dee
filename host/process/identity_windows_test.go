package process_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"servicehost/host/process"
)

// playIdentity prints what the token of this process may, and its integrity level.
func playIdentity() {
	var t windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY, &t); err != nil {
		os.Exit(3)
	}
	defer t.Close()
	os.Stdout.WriteString("privileges " + strings.Join(privileges(t), " ") + "\n")
	os.Stdout.WriteString("integrity " + integrity(t) + "\n")
}

func TestWeakerTokenOfTheOwnUser(t *testing.T) {
	b := newBackend(t)
	s := newStage(t, b)
	read := func(r process.Request) (list, level string) {
		t.Helper()
		id, _ := s.start(r)
		text := s.read(id, process.Stdout).awaitEnd(t)
		if exit := s.await(id, process.Gone).Exit; exit.Code != 0 {
			t.Fatalf("exit %+v, output %q", exit, text)
		}
		s.Ack(id)
		lines := strings.Split(text, "\n")
		return strings.TrimPrefix(lines[0], "privileges "), strings.TrimPrefix(lines[1], "integrity ")
	}
	all, own := read(part("identity"))
	r := part("identity")
	r.RestrictedToken = true
	few, level := read(r)
	if !underWine() && few != "SeChangeNotifyPrivilege" || few == "" { // Wine 8 keeps them all
		t.Errorf("restricted: %q, before %q", few, all)
	}
	if level != own {
		t.Errorf("restricted: integrity %s, before %s", level, own)
	}
	r = part("identity")
	r.Integrity = "low"
	same, level := read(r)
	if same != all {
		t.Errorf("low: %q, before %q", same, all)
	}
	if level != "S-1-16-4096" && !underWine() {
		t.Errorf("low: integrity %s", level)
	}
}

func TestWeakerChildTakesCtrlC(t *testing.T) {
	s := newStage(t, newBackend(t))
	r := part("stop")
	r.RestrictedToken = true
	id, _ := s.start(r)
	s.read(id, process.Stdout).awaitText(t, "ready")
	if err := s.StopStep(id, "ctrl_c"); err != nil {
		t.Fatal(err)
	}
	if exit := s.await(id, process.Gone).Exit; exit.Code != 5 {
		t.Errorf("exit %+v", exit)
	}
}

func TestUserOfTheHostByName(t *testing.T) {
	var own windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY, &own); err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	u, err := own.GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	name, domain, _, err := u.User.Sid.LookupAccount("")
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, newBackend(t))
	r := part("exit", "4")
	r.User = domain + `\` + name
	id, _ := s.start(r)
	if exit := s.await(id, process.Gone).Exit; exit.Code != 4 {
		t.Errorf("exit %+v", exit)
	}
}

func TestUnknownUserIsSaid(t *testing.T) {
	s := newStage(t, newBackend(t))
	r := part("exit", "0")
	r.User = `.\nobody-is-called-that`
	if _, err := s.Start(s.name(), r); kindOf(t, err) != process.ErrUser || !strings.Contains(err.Error(), `cannot sign in ".\nobody-is-called-that": there is no such account`) {
		t.Errorf("Start: %v", err)
	}
}

// A host in the foreground is in the session of its user already.
func TestSessionOfTheForeground(t *testing.T) {
	var session uint32
	if err := windows.ProcessIdToSessionId(windows.GetCurrentProcessId(), &session); err != nil {
		t.Fatal(err)
	}
	if session == 0 {
		t.Skip("this is the session of services")
	}
	s := newStage(t, newBackend(t))
	r := part("exit", "4")
	r.UserSession = true
	id, _ := s.start(r)
	if exit := s.await(id, process.Gone).Exit; exit.Code != 4 {
		t.Errorf("exit %+v", exit)
	}
	if err := process.SignedIn(); err != nil {
		t.Errorf("SignedIn: %v", err)
	}
}
