package host

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/osservice"
	"servicehost/host/process/processtest"
	"servicehost/host/state/statetest"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// watchdogSocket is systemd's end of the notify socket; it returns how often the watchdog was fed within a time.
func watchdogSocket(t *testing.T, every time.Duration) (fed func(within time.Duration) int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "n") // a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "s"))
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(every.Microseconds(), 10))
	return func(within time.Duration) (n int) {
		if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 4096)
		for {
			k, err := c.Read(b)
			if err != nil {
				return n
			}
			if strings.Contains(string(b[:k]), "WATCHDOG=1") {
				n++
			}
		}
	}
}

// A coordinator that hangs must not be told alive by a goroutine that is well: systemd is to end the host.
func TestWatchdogGoesUnfedWhileTheCoordinatorHangs(t *testing.T) {
	const every = 10 * time.Millisecond
	fed := watchdogSocket(t, 2*every)
	var hang atomic.Bool
	hangs, let := make(chan struct{}), make(chan struct{})
	set := logs.NewSet(logs.Options{OnEvent: func(logs.Event) {}})
	fake := processtest.New()
	sup := supervisor.New(supervisor.Options{
		Backend: fake, Logs: set, Store: &statetest.Memory{}, Exe: "/host",
		Publish: func(e journal.Event) {
			if e.Kind == journal.OperatorAction && hang.CompareAndSwap(true, false) { // the coordinator says it
				close(hangs)
				<-let
			}
		},
	})
	t.Cleanup(func() {
		sup.Shutdown(context.Background(), time.Minute)
		fake.Close()
		set.Close()
	})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	one := &spec.Service{
		Name: "api", Instance: 1, ID: "api", Instances: 1, Type: spec.TypeService, Enabled: true, Command: []string{exe}, Dir: dir,
		Log: spec.Log{Path: filepath.Join(dir, "api.log")},
	}
	if _, err := sup.Apply(t.Context(), &spec.Spec{Services: []*spec.Service{one}, Host: spec.Host{Restarts: spec.Restarts{Rate: 1000, Burst: 1000}}}, nil, false); err != nil {
		t.Fatal(err)
	}
	err = osservice.Run(t.Context(), "test", func(_ context.Context, s *osservice.Service) error {
		h := &Host{opt: Options{Manager: s}, sup: sup}
		done := make(chan struct{})
		var work sync.WaitGroup
		work.Go(func() { h.tellAlive(done) })
		defer work.Wait()
		defer close(done)
		if n := fed(20 * every); n == 0 {
			t.Error("a host that is well does not feed the watchdog")
		}
		hang.Store(true)
		work.Go(func() { _, _ = sup.Do(context.Background(), supervisor.Act{Verb: supervisor.Stop, NoWait: true}) })
		<-hangs
		fed(2 * every) // what was on its way
		if n := fed(20 * every); n != 0 {
			t.Errorf("the watchdog was fed %d times while the coordinator hung", n)
		}
		close(let)
		if n := fed(20 * every); n == 0 {
			t.Error("the watchdog is not fed any more when it goes on")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
