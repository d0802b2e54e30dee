package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

func TestTakenPortIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	r := newRig(t)
	addr := other.Addr().String()
	r.s.Apply(spec.HTTP{Listen: addr})
	if why := r.event(journal.Warning); !strings.Contains(why, addr) || !strings.Contains(why, "tried again") {
		t.Errorf("told: %s", why)
	}
	trouble := func() error {
		r.s.mu.Lock()
		defer r.s.mu.Unlock()
		return r.s.trouble
	}
	for range 3 { // edits of something else: no reason to say it again
		before := trouble()
		r.s.Apply(spec.HTTP{Listen: addr})
		eventually(t, "another try", func() bool { return trouble() != before })
	}
	quiet := func() {
		t.Helper()
		select {
		case e := <-r.told:
			t.Errorf("told too: %s %s", e.Kind, e.Reason)
		default:
		}
	}
	quiet()
	other.Close()
	if why := r.event(journal.Listening); why != "http://"+addr+", at last" {
		t.Errorf("told: %s", why)
	}
	r.get("http://"+addr+"/healthz").want(t, "healthz", 200)
	quiet()
}

func TestReloadMovesTheListener(t *testing.T) {
	r := newRig(t)
	first := r.loopback()
	events, _ := r.watch(first+"/api/v1/live", bearer(readToken1))
	next[map[string]any](t, events, "status")
	c := r.s.conf
	c.Tokens = c.Tokens[:1]
	r.s.Apply(c)
	r.get(first+"/healthz").want(t, "the same address", 200)
	select {
	case e := <-r.told:
		t.Errorf("other tokens opened another listener: %s %s", e.Kind, e.Reason)
	default:
	}
	c.Listen = "localhost:0"
	began := time.Now()
	second := r.serve(c)
	if second == first {
		t.Fatal("it did not move")
	}
	if dialable(strings.TrimPrefix(first, "http://")) {
		t.Error("the former address is still served")
	}
	eventually(t, "the stream of the former address to end", func() bool {
		select {
		case _, ok := <-events:
			return !ok
		default:
			return false
		}
	})
	if d := time.Since(began); d >= endTime {
		t.Errorf("the stream had the time of a request, %s", d)
	}
	r.get(second+"/healthz").want(t, "the new address", 200)
	r.s.Apply(spec.HTTP{})
	eventually(t, "nothing to be served", func() bool { return !dialable(strings.TrimPrefix(second, "http://")) })
	if r.s.Addr() != "" {
		t.Errorf("serves %s", r.s.Addr())
	}
}

func TestWhoAskedForTheMoveGetsItsAnswer(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	idle, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if _, err := idle.Write([]byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	r.host.hold, r.host.holding = make(chan struct{}), make(chan struct{})
	got := make(chan answerOf, 1)
	go func() {
		a, err := trySend(t.Context(), plainClient(), "POST", base+"/api/v1/act", `{"verb":"stop","names":["api"]}`, bearer(actToken1), with("X-Host-Action", "1"))
		if err != nil {
			t.Error(err)
		}
		got <- a
	}()
	<-r.host.holding
	c := r.s.conf
	c.Listen = "localhost:0"
	r.serve(c)
	_ = idle.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, idle); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a connection that nobody uses stays open")
	}
	close(r.host.hold) // now that the former address is being given up
	if a := <-got; a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	base := r.loopback()
	r.host.hold, r.host.holding = make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		_, err := trySend(context.Background(), plainClient(), "POST", base+"/api/v1/act", `{"verb":"stop","names":["api"]}`, bearer(actToken1), with("X-Host-Action", "1"))
		ended <- err
	}()
	<-r.host.holding
	events, _ := r.watch(base+"/api/v1/live", bearer(readToken1))
	next[map[string]any](t, events, "status")
	began := time.Now()
	r.s.Close()
	if d := time.Since(began); d > lastMoment+3*time.Second {
		t.Errorf("took %s", d)
	}
	if err := <-ended; err == nil {
		t.Error("what waited was answered")
	}
	r.s.Close()
	r.s.Apply(spec.HTTP{Listen: "127.0.0.1:0"})
	if r.s.Addr() != "" {
		t.Error("it serves after its end")
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bounded{Listener: inner, free: make(chan struct{}, 2)}
	defer b.Close()
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := b.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	var dialed []net.Conn
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		dialed = append(dialed, c)
		return c
	}
	defer func() {
		for _, c := range dialed {
			c.Close()
		}
	}()
	dial()
	dial()
	first, second := <-accepted, <-accepted
	refused := dial()
	_ = refused.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := refused.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("read %d, %v", n, err)
	} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Error("the third was not refused")
	}
	first.Close()
	first.Close() // twice: it frees one place
	dial()
	third := <-accepted
	dial()
	select {
	case <-accepted:
		t.Error("a place was freed twice")
	case <-time.After(100 * time.Millisecond):
	}
	second.Close()
	third.Close()
}

func TestRequestsAreBounded(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	long := strings.Repeat("x", maxHeader+8<<10)
	// Who still sends when the answer comes may be cut off before reading it.
	if a, err := trySend(t.Context(), plainClient(), "GET", base+"/healthz", "", with("X-Long", long)); err == nil && a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header: %d", a.status)
	}
	for path, size := range map[string]int{"act": maxBody, "signin": maxSmall} {
		a, err := trySend(t.Context(), plainClient(), "POST", base+"/api/v1/"+path, `{"token":"`+strings.Repeat("x", size)+`"}`, bearer(actToken1), with("X-Host-Action", "1"))
		if err == nil && a.status != 413 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if len(r.host.acts) > 0 {
		t.Error("it was done")
	}
	r.post(base+"/api/v1/act", `{"verb":"stop","gently":true}`, bearer(actToken1), with("X-Host-Action", "1")).want(t, "an unknown field", 400)
}

func TestStreamEndsWithTheSession(t *testing.T) {
	r := newRig(t)
	r.s.stillTime = 20 * time.Millisecond
	base := r.loopback()
	b := browser(t)
	r.send(b, "POST", base+"/api/v1/signin", `{"token":"`+readToken1+`"}`).want(t, "signin", 200)
	var cookie string
	req, _ := http.NewRequest("GET", base, nil)
	for _, c := range b.Jar.Cookies(req.URL) {
		cookie = c.String()
	}
	live, _ := r.watch(base+"/api/v1/live", with("Cookie", cookie))
	next[map[string]any](t, live, "status")
	logs := make(chan struct{})
	go func() {
		defer close(logs)
		_, _ = trySend(t.Context(), plainClient(), "GET", base+"/api/v1/logs?follow=1", "", with("Cookie", cookie))
	}()
	eventually(t, "both to go on", func() bool {
		r.host.mu.Lock()
		defer r.host.mu.Unlock()
		return r.host.following > 0
	})
	r.send(b, "POST", base+"/api/v1/signout", "").want(t, "signout", 200)
	eventually(t, "the live stream to end", func() bool {
		select {
		case _, ok := <-live:
			return !ok
		default:
			return false
		}
	})
	select {
	case <-logs:
	case <-time.After(20 * time.Second):
		t.Error("the logs go on")
	}
	<-r.host.ended
}
