package probe

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// client opens the pipe as any program would: as a file. While nobody accepts it is busy or not there yet.
func client(t *testing.T, s *Socket) *os.File {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		f, err := os.OpenFile(s.Address(), os.O_RDWR, 0)
		if err == nil {
			return f
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestPipeTakesLines(t *testing.T) {
	s := listen(t, SocketOptions{})
	in := make(inbox, 9)
	s.Serve(func(m Message) { in <- m })
	if !strings.HasPrefix(s.Address(), `\\.\pipe\servicehost-notify-`) {
		t.Errorf("address %s", s.Address())
	}
	f := client(t, s)
	defer f.Close()
	if _, err := f.WriteString("STATUS=loading\n"); err != nil {
		t.Fatal(err)
	}
	if m := in.next(t); m.Status == nil || *m.Status != "loading" {
		t.Errorf("%+v", m)
	}
	if _, err := f.WriteString("READY=1\r\nSTATUS=serving\r\n"); err != nil {
		t.Fatal(err)
	}
	if m := in.next(t); !m.Ready || m.Status == nil || *m.Status != "serving" {
		t.Errorf("what is written at once is one message: %+v", m)
	}
	other := client(t, s) // while the first is still there
	if _, err := other.WriteString("WATCHDOG=1"); err != nil {
		t.Fatal(err)
	}
	_ = other.Close() // ends the line
	if m := in.next(t); !m.Watchdog {
		t.Errorf("%+v", m)
	}
}

func TestPipeAnswersABarrier(t *testing.T) {
	s := listen(t, SocketOptions{})
	in := make(inbox, 9)
	s.Serve(func(m Message) { in <- m })
	f := client(t, s)
	defer f.Close()
	if _, err := f.WriteString("READY=1\nBARRIER=1\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil || line != "BARRIER=1\n" {
		t.Errorf("%q, %v", line, err)
	}
	if m := in.next(t); !m.Ready {
		t.Errorf("%+v", m)
	}
}

func TestPipeAsksWhoIsThere(t *testing.T) {
	who := make(chan Sender, 9)
	s := listen(t, SocketOptions{Accept: func(from Sender) bool { who <- from; return false }})
	s.Serve(func(Message) { t.Error("delivered") })
	f := client(t, s)
	defer f.Close()
	if from := <-who; from.PID != os.Getpid() || from.UID != -1 {
		t.Errorf("%+v", from)
	}
	// It is closed on us.
	_, _ = f.WriteString("READY=1\n")
	if _, err := bufio.NewReader(f).ReadString('\n'); err == nil {
		t.Error("still open")
	}
}

func TestPipeIsForTheAccountOfTheProgram(t *testing.T) {
	const me, user = "S-1-5-21-1-2-3-1001", "S-1-5-19"
	want := "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + me + ")"
	if got := pipeSDDL(me, "", false); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := pipeSDDL(me, user, false); got != want+"(A;;0x12019b;;;S-1-5-19)" {
		t.Errorf("got %s", got)
	}
	low := pipeSDDL(me, user, true)
	if low != want+"(A;;0x12019b;;;S-1-5-19)S:(ML;;NW;;;LW)" {
		t.Errorf("got %s", low)
	}
	if _, err := windows.SecurityDescriptorFromString(low); err != nil {
		t.Error(err)
	}
	if sid, err := accountSID(user); err != nil || sid != user {
		t.Errorf("%q, %v", sid, err)
	}
	if _, err := Listen(SocketOptions{Account: "no such account anywhere"}); err == nil || !strings.Contains(err.Error(), `there is no account "no such account anywhere"`) {
		t.Errorf("%v", err)
	}
}

func TestPipeClosesWithItsClients(t *testing.T) {
	s := listen(t, SocketOptions{})
	in := make(inbox, 9)
	s.Serve(func(m Message) { in <- m })
	f := client(t, s)
	defer f.Close()
	_, _ = f.WriteString("READY=1\n")
	in.next(t)
	done := make(chan struct{})
	go func() { s.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not return")
	}
}
