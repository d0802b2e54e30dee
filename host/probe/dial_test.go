package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"servicehost/spec"
)

func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// freePort is one on which nobody listens just now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestTCPProbe(t *testing.T) {
	address := raw(t, func(net.Conn) {})
	if got := once(t, newTCP(address), 5*time.Second); got != (answer{}) {
		t.Error(got)
	}
	_, port, _ := net.SplitHostPort(address)
	for _, host := range []string{"localhost", "LOCALHOST", "localhost.", "app.localhost"} {
		if got := once(t, newTCP(host+":"+port), 5*time.Second); got != (answer{}) {
			t.Error(host, got)
		}
	}
	if got := once(t, newTCP(freePort(t)), 5*time.Second); got != (answer{problem: "connection refused", nobody: true}) {
		t.Error(got)
	}
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http"} {
		if got := once(t, newTCP(bad), time.Second); got.problem == "" || got.nobody {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestLocalhostIsBothFamilies(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on this machine")
	}
	defer l.Close()
	d := newDialer("localhost", uint16(l.Addr().(*net.TCPAddr).Port))
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		c, err := d.dial(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if d.last.Load() != 1 {
		t.Error("the family that answered is not tried first")
	}
}

func TestNetworkErrorsReadLikeSpeech(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{os.ErrDeadlineExceeded, "no connection within 3s"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}, "no connection within 3s"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "db", IsNotFound: true}}, "no such host"},
		{&net.DNSError{Err: "server misbehaving", Name: "db", IsTimeout: true}, "its name can't be looked up: server misbehaving"},
		{fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), "the connection was closed without an answer"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errors.New("network is unreachable"))}, "network is unreachable"},
	} {
		if got := netAnswer(c.err, "no connection", 3*time.Second).problem; got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

// waiter takes events of a real Set.
type waiter chan Event

func (w waiter) next(t *testing.T, limit time.Duration) Event {
	t.Helper()
	select {
	case e := <-w:
		return e
	case <-time.After(limit):
		t.Fatalf("no event within %v", limit)
		return Event{}
	}
}

func TestSlowlyOpeningPortIsReadyBeforeThePeriodIsOver(t *testing.T) {
	address := freePort(t)
	set := NewSet(Options{})
	defer set.Close()
	events := make(waiter, 16)
	p := &spec.Probe{HTTP: "http://" + address + "/ready", Period: time.Hour, Timeout: time.Second, FailureThreshold: 2}
	w := set.Watch(Run{Key: "web#1"}, &spec.Health{Readiness: p}, func(e Event) { events <- e })
	defer w.Stop()
	if e := events.next(t, 10*time.Second); e.Kind != StartupPassed {
		t.Fatalf("%+v", e)
	}
	for deadline := time.Now().Add(10 * time.Second); w.Snapshot().Probes[0].Rounds == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not asked")
		}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("another program took the port: ", err)
	}
	var asked sync.WaitGroup
	asked.Add(1)
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Done() })}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	if e := events.next(t, 20*time.Second); e.Kind != Ready || e.Reason != "http http://"+address+"/ready" {
		t.Fatalf("%+v", e)
	}
	asked.Wait()
	if s := w.Snapshot().Probes[0]; s.Rounds != 2 || s.Failed != 1 || s.Error != "http http://"+address+"/ready: connection refused" {
		t.Errorf("tries beside the rounds were counted: %+v", s)
	}
}

func TestPortOfTheRunIsAsked(t *testing.T) {
	address := raw(t, func(net.Conn) {})
	_, port, _ := net.SplitHostPort(address)
	n := 0
	fmt.Sscan(port, &n)
	set := NewSet(Options{})
	defer set.Close()
	events := make(waiter, 16)
	set.Watch(Run{Port: n}, &spec.Health{Readiness: &spec.Probe{TCP: "127.0.0.1:" + spec.AutoPort}}, func(e Event) { events <- e })
	events.next(t, 10*time.Second)
	if e := events.next(t, 10*time.Second); e.Kind != Ready || e.Reason != "tcp "+address {
		t.Errorf("%+v", e)
	}
}
