package probe

import (
	"os"
	"os/exec"
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
