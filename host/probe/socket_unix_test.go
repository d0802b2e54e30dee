//go:build unix

package probe

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"servicehost/spec"
)

func sendTo(t *testing.T, address string, messages ...string) {
	t.Helper()
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, m := range messages {
		if _, err := c.Write([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
}

// handOver sends a message with descriptors.
func handOver(t *testing.T, address, message string, fds ...int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Sendmsg(fd, []byte(message), unix.UnixRights(fds...), &unix.SockaddrUnix{Name: address}, 0); err != nil {
		t.Fatal(err)
	}
}

func TestSocketKeepsWhatIsSaidBeforeServe(t *testing.T) {
	s := listen(t, SocketOptions{})
	sendTo(t, s.Address(), "STATUS=one", "STATUS=two\nREADY=1")
	in := make(inbox, 9)
	s.Serve(func(m Message) { in <- m })
	if m := in.next(t); *m.Status != "one" {
		t.Errorf("%+v", m)
	}
	if m := in.next(t); *m.Status != "two" || !m.Ready {
		t.Errorf("%+v", m)
	}
	sendTo(t, s.Address(), strings.Repeat("x", maxMessage+1), "READY=1")
	if m := in.next(t); !m.Ready {
		t.Errorf("what is too long was not passed over: %+v", m)
	}
}

func TestSocketLiesInAFolderOfTheHost(t *testing.T) {
	s := listen(t, SocketOptions{})
	info, err := os.Stat(s.Address())
	if err != nil || info.Mode().Perm()&0o600 != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	dir := filepath.Dir(s.Address())
	if info, err = os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	s.Close()
	if _, err := os.Stat(s.Address()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
	link := dir + "link"
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(SocketOptions{Dir: link}); err == nil || !strings.Contains(err.Error(), "is no folder of this account") {
		t.Errorf("a link was taken for the folder: %v", err)
	}
}

// A folder may have a longer name than a socket; what is said arrives all the same, where the system knows a way.
func TestSocketOfAFolderWithALongName(t *testing.T) {
	o := SocketOptions{Dir: shortDir(t) + strings.Repeat("x", 90)}
	if abstractPrefix == "" {
		if _, err := Listen(o); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("%v", err)
		}
		return
	}
	s := listen(t, o)
	in := make(inbox, 9)
	s.Serve(func(m Message) { in <- m })
	sendTo(t, s.Address(), "READY=1")
	if m := in.next(t); !m.Ready || len(s.Address()) > maxAddress {
		t.Errorf("%+v at %s", m, s.Address())
	}
}

func TestClearSocketsRemovesThoseOfADeadHost(t *testing.T) {
	s := listen(t, SocketOptions{})
	dir := filepath.Dir(s.Address())
	other := filepath.Join(dir, "n-file")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ClearSockets(dir)
	if _, err := os.Stat(s.Address()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("removed what is no socket: %v", err)
	}
}

// The descriptor that comes with BARRIER=1 is closed once what was said before is taken in.
func TestBarrierIsAnswered(t *testing.T) {
	s := listen(t, SocketOptions{})
	taken := make(chan struct{})
	release := sync.OnceFunc(func() { close(taken) })
	t.Cleanup(release)
	in := make(inbox, 9)
	s.Serve(func(m Message) {
		if m.Ready {
			<-taken
		}
		in <- m
	})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sendTo(t, s.Address(), "READY=1")
	handOver(t, s.Address(), "BARRIER=1", int(w.Fd()))
	_ = w.Close()
	if err := r.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("answered before the message was taken in: %v", err)
	}
	release()
	in.next(t)
	if m := in.next(t); !m.Barrier {
		t.Errorf("%+v", m)
	}
	_ = r.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("not answered: %d, %v", n, err)
	}
}

func TestDescriptorsThatNobodyAskedForAreClosed(t *testing.T) {
	s := listen(t, SocketOptions{Accept: func(Sender) bool { return false }})
	s.Serve(func(Message) { t.Error("delivered") })
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	many := make([]int, 200)
	for n := range many {
		many[n] = int(w.Fd())
	}
	handOver(t, s.Address(), "FDSTORE=1", many...)
	_ = w.Close()
	_ = r.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("held: %d, %v", n, err)
	}
}

func TestEnvOfAProgramThatNotifies(t *testing.T) {
	s := listen(t, SocketOptions{})
	h := &spec.Health{Readiness: &spec.Probe{Notify: true}}
	if got := s.Env(h); !slices.Equal(got, []string{"NOTIFY_SOCKET=" + s.Address()}) {
		t.Errorf("%q", got)
	}
	h.Liveness = &spec.Probe{Notify: true, Period: 30 * time.Second}
	if got := s.Env(h); !slices.Equal(got, []string{"NOTIFY_SOCKET=" + s.Address(), "WATCHDOG_USEC=30000000"}) {
		t.Errorf("%q", got)
	}
	if !NeedsSocket(h) || NeedsSocket(&spec.Health{Startup: &spec.Probe{TCP: "x:1"}}) || NeedsSocket(nil) {
		t.Error("NeedsSocket")
	}
}
