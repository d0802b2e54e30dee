package probe

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"servicehost/spec"
)

func TestSenderIsTold(t *testing.T) {
	from := make(chan Sender, 9)
	s := listen(t, SocketOptions{Accept: func(who Sender) bool { from <- who; return who.PID == os.Getpid() }})
	in := make(inbox, 9)
	s.Serve(func(m Message) { in <- m })
	helper(t, "notify", "NOTIFY_SOCKET="+s.Address())
	if who := <-from; who.PID == os.Getpid() || who.PID <= 0 || who.UID != os.Getuid() || who.GID != os.Getgid() {
		t.Errorf("%+v", who)
	}
	sendTo(t, s.Address(), "STATUS=me")
	if who := <-from; who.PID != os.Getpid() {
		t.Errorf("%+v", who)
	}
	if m := in.next(t); m.Status == nil || *m.Status != "me" {
		t.Errorf("a message of another was taken: %+v", m)
	}
}

func TestSocketHearsItsAccountAndItsProcessGroup(t *testing.T) {
	s := listen(t, SocketOptions{})
	s.uid = 4711
	me := Sender{PID: os.Getpid(), UID: 4712}
	for _, c := range []struct {
		name string
		from Sender
		want bool
	}{
		{"the account", Sender{PID: 1, UID: 4711}, true},
		{"the host", Sender{PID: 1, UID: os.Geteuid()}, true},
		{"root", Sender{PID: 1, UID: 0}, true},
		{"another account", me, false},
		{"nobody knows who", Sender{UID: -1}, false},
	} {
		if got := s.trusts(c.from); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	s.SetMain(syscall.Getpgrp())
	if !s.trusts(me) {
		t.Error("a process of the group that gave its account up is not heard")
	}
	if s.trusts(Sender{PID: 1 << 30, UID: 4712}) {
		t.Error("a process that is not there is")
	}
}

// The state folder may be closed to the account of a service.
func TestSocketOfAnotherAccountCanBeReached(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs services as others")
	}
	dir := shortDir(t)
	open := listen(t, SocketOptions{Dir: dir, Account: "65534"})
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(listen(t, SocketOptions{Dir: dir}).Address(), "@") {
		t.Error("of no need for our own account")
	}
	closed := listen(t, SocketOptions{Dir: dir, Account: "65534"})
	if !strings.HasPrefix(closed.Address(), "@") {
		t.Fatalf("can't be reached: %s", closed.Address())
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(filepath.Dir(dir), "program")
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Socket{listen(t, SocketOptions{Dir: dir, Account: "65534"}), open, closed} {
		in := make(inbox, 9)
		s.Serve(func(m Message) { in <- m })
		c := exec.Command(program)
		c.Dir = "/"
		c.Env = append(os.Environ(), "PROBE_TEST_HELPER=notify", "NOTIFY_SOCKET="+s.Address())
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if m := in.next(t); !m.Ready {
			t.Errorf("%+v", m)
		}
	}
	if _, err := Listen(SocketOptions{Dir: dir, Account: "no-such-user-here"}); err == nil || !strings.Contains(err.Error(), `there is no user "no-such-user-here"`) {
		t.Errorf("%v", err)
	}
}

func init() {
	helpers["notify"] = func() int {
		t := &testing.T{}
		sendTo(t, os.Getenv("NOTIFY_SOCKET"), "READY=1")
		return 0
	}
}

// The program of systemd waits until its message was taken in.
func TestSystemdNotifyIsUnderstood(t *testing.T) {
	program, err := exec.LookPath("systemd-notify")
	if err != nil {
		t.Skip("systemd-notify is not installed")
	}
	s := listen(t, SocketOptions{})
	set := NewSet(Options{})
	defer set.Close()
	events := make(waiter, 16)
	w := set.Watch(Run{Key: "db#1"}, &spec.Health{Readiness: &spec.Probe{Notify: true, Period: time.Hour}}, func(e Event) { events <- e })
	s.Serve(w.Notify)
	if e := events.next(t, 10*time.Second); e.Kind != StartupPassed {
		t.Fatalf("%+v", e)
	}
	c := exec.Command(program, "--ready", "--status=accepting connections", "--pid=4711")
	c.Env = append(os.Environ(), s.Env(nil)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	told := w.Snapshot().Told
	if told.Status != "accepting connections" || told.MainPID != 4711 {
		t.Errorf("taken in before its end: %+v", told)
	}
	for {
		e := events.next(t, 10*time.Second)
		if e.Kind == Ready {
			break
		}
		if e.Kind != ProgramTold {
			t.Fatalf("%+v", e)
		}
	}
}
