//go:build unix

package eventlog

import (
	"bytes"
	"encoding/binary"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// daemon is a socket that a journald or syslog would listen on.
func daemon(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func receive(t *testing.T, c *net.UnixConn) []byte {
	t.Helper()
	b := make([]byte, 64<<10)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// fieldsOf reads an entry the way journald does.
func fieldsOf(t *testing.T, b []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	for len(b) > 0 {
		line, rest, ok := bytes.Cut(b, []byte{'\n'})
		if !ok {
			t.Fatalf("no newline behind %q", b)
		}
		if name, value, ok := bytes.Cut(line, []byte{'='}); ok {
			out[string(name)], b = string(value), rest
			continue
		}
		size := binary.LittleEndian.Uint64(rest)
		out[string(line)] = string(rest[8 : 8+size])
		if rest[8+size] != '\n' {
			t.Fatalf("no newline behind the value of %s", line)
		}
		b = rest[8+size+1:]
	}
	return out
}

func openAt(t *testing.T, places ...place) *Log {
	t.Helper()
	s, err := dialFirst("orders", places)
	if err != nil {
		t.Fatal(err)
	}
	return open(s, Options{Trouble: func(err error) { t.Error(err) }})
}

func TestJournaldGetsFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	c := daemon(t, path)
	l := openAt(t, place{path: path + "-not", journald: true}, place{path: path, journald: true})
	log := zap.New(l.Core())
	log.Warn("", Of(Event{Kind: "backoff", Service: "api", Reason: "exit 3", Lines: []string{"one", "two=2"}}))
	log.Info("", Of(Event{Kind: "host_stopped", Reason: "after 3s"}))
	l.Close(10 * time.Second)
	want := map[string]string{
		"MESSAGE":  "Service \"api\" is down and will be started again: exit 3\n\nLast output:\none\ntwo=2",
		"PRIORITY": "4", "MESSAGE_ID": byKind["backoff"].MessageID(), "SYSLOG_IDENTIFIER": "orders", "SYSLOG_FACILITY": "3",
		"HOST_EVENT": "backoff", "HOST_EVENT_ID": "200", "HOST_SERVICE": "api",
	}
	if got := fieldsOf(t, receive(t, c)); !maps.Equal(got, want) {
		t.Errorf("fields are %q\nwant %q", got, want)
	}
	got := fieldsOf(t, receive(t, c))
	if _, has := got["HOST_SERVICE"]; has || got["MESSAGE"] != "The host has ended, after 3s" || got["PRIORITY"] != "6" {
		t.Errorf("fields are %q", got)
	}
}

func TestRestartedDaemonIsFoundAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	c := daemon(t, path)
	l := openAt(t, place{path: path})
	log := zap.New(l.Core())
	log.Warn("first")
	if got := string(receive(t, c)); !strings.HasSuffix(got, "event 900 warning: first") {
		t.Fatalf("received %q", got)
	}
	c.Close()
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	c = daemon(t, path)
	log.Warn("second")
	if got := string(receive(t, c)); !strings.HasSuffix(got, "event 900 warning: second") {
		t.Errorf("received %q", got)
	}
	l.Close(10 * time.Second)
}

func TestNoDaemonIsAnError(t *testing.T) {
	_, err := dialFirst("x", []place{{path: filepath.Join(t.TempDir(), "none")}})
	if err == nil || !strings.Contains(err.Error(), "neither journald nor syslog listens") {
		t.Errorf("error is %v", err)
	}
}
