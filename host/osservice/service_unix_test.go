//go:build unix

package osservice

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// notifySocket is the end of systemd: it returns what has arrived.
func notifySocket(t *testing.T, name string) (received func() []string) {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv(envSocket, name)
	return func() (all []string) {
		buf := make([]byte, 4096)
		for {
			// What was sent is there: a datagram is delivered by the write.
			if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			n, err := c.Read(buf)
			if err != nil {
				return all
			}
			all = append(all, string(buf[:n]))
		}
	}
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "n") // a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestServiceTellsSystemd(t *testing.T) {
	received := notifySocket(t, filepath.Join(shortDir(t), "s"))
	t.Setenv(envWatchdog, "3000000")
	t.Setenv(envWatchdogPID, strconv.Itoa(os.Getpid()))
	err := Run(t.Context(), "orders", func(_ context.Context, s *Service) error {
		for _, name := range []string{envSocket, envWatchdog, envWatchdogPID} {
			if v, ok := os.LookupEnv(name); ok {
				t.Errorf("children would see %s=%s", name, v)
			}
		}
		if s.WatchdogInterval() != 1500*time.Millisecond || s.Controls() != nil {
			t.Error(s.WatchdogInterval())
		}
		s.Budget(time.Minute)
		s.Ready()
		s.Status("2 services,\nREADY=0")
		s.Reloading()
		s.Reloaded()
		s.Alive()
		s.Stopping(70 * time.Second)
		s.Progress(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := received()
	reloading := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+$`)
	if len(got) != 7 || !reloading.MatchString(got[2]) {
		t.Fatalf("%q", got)
	}
	got[2] = "RELOADING=1"
	want := []string{"READY=1", "STATUS=2 services, READY=0", "RELOADING=1", "READY=1", "WATCHDOG=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000", "STATUS=stopped"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestServiceTellsWhyItFailed(t *testing.T) {
	received := notifySocket(t, filepath.Join(shortDir(t), "s"))
	failed := errors.New("a.yaml:1: one\na.yaml:2: two")
	if err := Run(t.Context(), "orders", func(context.Context, *Service) error { return failed }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if got := received(); !slices.Equal(got, []string{"STATUS=a.yaml:1: one; a.yaml:2: two"}) {
		t.Errorf("%q", got)
	}
}

func TestWatchdogOfAnotherProcessIsNotOurs(t *testing.T) {
	for _, tt := range []struct{ us, pid, socket string }{
		{"3000000", "1", "/nowhere"}, {"x", "", "/nowhere"}, {"-1", "", "/nowhere"}, {"0", "", "/nowhere"}, {"3000000", "", ""},
	} {
		t.Setenv(envWatchdog, tt.us)
		t.Setenv(envWatchdogPID, tt.pid)
		t.Setenv(envSocket, tt.socket)
		if n := takeNotifier(); n.watchdog != 0 {
			t.Errorf("%+v: %s", tt, n.watchdog)
		}
	}
}

// Nobody listens, or nobody wants to: that is no reason to fail or to wait.
func TestServiceWithoutAManagerSaysNothing(t *testing.T) {
	for _, socket := range []string{"", "/nowhere/at/all", "@nobody-" + strings.Repeat("x", 20)} {
		t.Setenv(envSocket, socket)
		begin := time.Now()
		if err := Run(t.Context(), "orders", func(_ context.Context, s *Service) error { s.Ready(); return nil }); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > notifyTimeout {
			t.Errorf("%q took %s", socket, took)
		}
	}
}
