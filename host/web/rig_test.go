package web

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

// rig is a server with a host behind it.
type rig struct {
	t       *testing.T
	s       *Server
	host    *fakeHost
	journal *journal.Journal
	told    chan journal.Event
	dir     string
}

const (
	readToken1 = "read-0123456789abcdef0123456789"
	actToken1  = "act-0123456789abcdef01234567890"
)

func testPage() fstest.MapFS {
	return fstest.MapFS{
		"index.html":        {Data: []byte("<!doctype html><title>page</title>")},
		"app.js":            {Data: []byte(strings.Repeat("export const x = 1;\n", 200))},
		"icon.svg":          {Data: []byte("<svg/>")},
		"vendor/uPlot.css":  {Data: []byte("a{}")},
		"vendor/secret.exe": {Data: []byte("MZ")},
	}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), told: make(chan journal.Event, 1000), host: &fakeHost{ended: make(chan struct{}, 100)}}
	r.host.status = control.Status{Host: control.HostStatus{Name: "orders-01"}, Services: services(2)}
	var err error
	if r.journal, err = journal.Open(filepath.Join(r.dir, "journal"), journal.Options{}); err != nil {
		t.Fatal(err)
	}
	r.s = New(Options{Host: r.host, Version: "1.2.3", Name: func() string { return "orders-01" }, Page: testPage(), Subscribe: r.journal.Subscribe,
		Publish: func(e journal.Event) { r.told <- e },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "servicehost_up 1") }),
	})
	t.Cleanup(func() { r.s.Close(); r.journal.Close() })
	return r
}

// event waits for one of a kind and returns its reason.
func (r *rig) event(k journal.Kind) string {
	r.t.Helper()
	for {
		select {
		case e := <-r.told:
			if e.Kind == k {
				return e.Reason
			}
		case <-time.After(20 * time.Second):
			r.t.Fatalf("no event %s", k)
		}
	}
}

// file writes one that its owner alone may read.
func (r *rig) file(name, content string) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

func (r *rig) tokens() []spec.HTTPToken {
	return []spec.HTTPToken{
		{Name: "prometheus", Role: spec.RoleRead, File: r.file("read", readToken1+"\n")},
		{Name: "ops", Role: spec.RoleAct, File: r.file("act", actToken1)},
	}
}

// serve applies c and returns the address, once it is served.
func (r *rig) serve(c spec.HTTP) string {
	r.t.Helper()
	r.s.Apply(c)
	return strings.TrimSuffix(r.event(journal.Listening), ", at last")
}

// loopback serves on this machine alone.
func (r *rig) loopback() string {
	return r.serve(spec.HTTP{Listen: "127.0.0.1:0", Tokens: r.tokens()})
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func dialable(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}
