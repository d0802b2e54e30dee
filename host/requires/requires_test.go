package requires

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

func check(t *testing.T, r spec.Requires, env Env) []string {
	t.Helper()
	var out []string
	for _, u := range Check(t.Context(), r, env) {
		out = append(out, u.Key+": "+u.Message)
	}
	return out
}

func wantOnly(t *testing.T, got []string, parts ...string) {
	t.Helper()
	if len(got) != len(parts) {
		t.Fatalf("got %q, want %d of them with %q", got, len(parts), parts)
	}
	for i, p := range parts {
		if !strings.Contains(got[i], p) {
			t.Errorf("%q does not have %q", got[i], p)
		}
	}
}

func TestWhatIsThereIsNotTold(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := spec.Requires{
		OS: []spec.Need{{Name: "plan9"}, {Name: runtime.GOOS, Op: ">=", Version: "1"}}, Arch: []string{"none", machine()}, Files: []string{file},
		Folders: []string{dir}, Ports: []int{freePort(t)}, TCP: []string{l.Addr().String()},
	}
	wantOnly(t, check(t, r, Env{}))
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestWhatIsMissingIsToldInOrder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := spec.Requires{
		OS: []spec.Need{{Name: "plan9"}, {Name: runtime.GOOS, Op: ">", Version: "900"}}, Arch: []string{"z80", "6502"},
		Files: []string{filepath.Join(dir, "none"), dir}, Folders: []string{filepath.Join(dir, "none"), file},
		Commands: []spec.Need{{Name: "gone"}}, TCP: []string{net.JoinHostPort("127.0.0.1", portText(freePort(t)))},
	}
	got := check(t, r, Env{Resolve: func(string) (string, error) { return "", errors.New("not found in PATH") }})
	wantOnly(t, got, "wanted plan9 or "+runtime.GOOS+" > 900", "arch: the machine is "+machine()+", wanted z80 or 6502", `none" is not there`, "is a folder",
		`none" is not there`, "is a file", "commands: command gone: not found in PATH", "connection refused")
}

func portText(n int) string { return strconv.Itoa(n) }

func TestTakenPortNamesWhoHasIt(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Logf("nobody can listen on %s here: %v", at, err)
			continue
		}
		n := l.Addr().(*net.TCPAddr).Port
		taken := TakenPort(n)
		if taken == nil || taken.Port != n {
			t.Fatalf("port %d, on which %s is listened, is taken by %v", n, at, taken)
		}
		if h := taken.Holder; h.PID != 0 && h.PID != os.Getpid() {
			t.Errorf("held by %+v, this is process %d", h, os.Getpid())
		} else if h.PID == 0 && holdersAreSeen {
			t.Errorf("who holds port %d is not seen: %+v", n, h)
		} else if h.PID != 0 && !strings.HasSuffix(taken.Message(), ", process "+strconv.Itoa(os.Getpid())) {
			t.Errorf("message %q", taken.Message())
		}
		l.Close()
		if again := TakenPort(n); again != nil {
			t.Errorf("port %d was given back, and is taken by %v", n, again)
		}
	}
}

func TestHolderIsNamedAsFarAsItIsKnown(t *testing.T) {
	for want, p := range map[string]PortTaken{
		"port 80 is taken by nginx, process 812":     {Port: 80, Holder: Holder{PID: 812, Name: "nginx", User: "root"}},
		"port 80 is taken by process 812":            {Port: 80, Holder: Holder{PID: 812}},
		"port 80 is taken by a process of user root": {Port: 80, Holder: Holder{User: "root"}},
		"port 80 is taken by another process":        {Port: 80},
		"port 80 is reserved by the system":          {Port: 80, Reserved: true},
	} {
		if got := p.Message(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSystemIsOneOfThoseWanted(t *testing.T) {
	version := func() string { return "10.0.17763" }
	for _, c := range []struct {
		wanted []spec.Need
		ok     bool
	}{
		{[]spec.Need{{Name: "windows"}}, true},
		{[]spec.Need{{Name: "linux"}, {Name: "windows", Op: ">=", Version: "10.0.17763"}}, true},
		{[]spec.Need{{Name: "windows", Op: ">=", Version: "10.0.20348"}}, false},
		{[]spec.Need{{Name: "linux"}}, false},
	} {
		if got := system(c.wanted, "windows", version) == nil; got != c.ok {
			t.Errorf("%v: %v", c.wanted, got)
		}
	}
	u := system([]spec.Need{{Name: "windows", Op: ">=", Version: "10.0.20348"}}, "windows", version)
	if u == nil || u.Message != "the system is windows 10.0.17763, wanted windows >= 10.0.20348" {
		t.Errorf("told as %+v", u)
	}
	if systemVersion() == "" || machine() == "" {
		t.Errorf("this machine has version %q and architecture %q", systemVersion(), machine())
	}
}

// A look at a drive that is gone holds a thread: it is waited for no longer than the time, and not begun again.
func TestHangingLookIsBoundedAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := make(chan struct{})
		var begun atomic.Int32
		l := look{key: "files", what: "/gone", do: func(context.Context) *Unmet { begun.Add(1); <-back; return nil }}
		start := time.Now()
		if u := within(t.Context(), l); u == nil || u.Message != "file /gone: no answer within 3s" {
			t.Errorf("told as %+v", u)
		}
		if d := time.Since(start); d > Timeout+graceTime {
			t.Errorf("it took %v", d)
		}
		if u := within(t.Context(), l); u == nil || begun.Load() != 1 {
			t.Errorf("begun %d times, told as %+v", begun.Load(), u)
		}
		close(back)
		synctest.Wait()
		if u := within(t.Context(), l); u != nil || begun.Load() != 2 {
			t.Errorf("once it came back: begun %d times, told as %+v", begun.Load(), u)
		}
	})
}

func TestLooksEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := Check(ctx, spec.Requires{TCP: []string{l.Addr().String()}}, Env{}); len(got) != 1 {
		t.Errorf("after its end: %v", got)
	}
}

func TestUnknownHostIsNamed(t *testing.T) {
	err := &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "db", IsNotFound: true}}
	if got := netWords(err); got != "no such host" {
		t.Errorf("got %q", got)
	}
	err.Err = &net.DNSError{Err: "server misbehaving", Name: "db"}
	if got := netWords(err); got != "its name can't be looked up: server misbehaving" {
		t.Errorf("got %q", got)
	}
	err.Err = os.ErrDeadlineExceeded
	if got := netWords(err); got != "no connection within 3s" {
		t.Errorf("got %q", got)
	}
}
