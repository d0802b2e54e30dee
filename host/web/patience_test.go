package web

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

// What takes long, or is silent for long, is not taken for a reader that does not read.
func TestPatienceWithAnswersAndStreams(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		r := newRig(t)
		r.s.writeTime = 100 * time.Millisecond
		c := spec.HTTP{Listen: "127.0.0.1:0", Tokens: r.tokens()}
		if secure { // HTTP/2
			c.TLS = r.certs("localhost")
		}
		base := r.serve(c)
		client := plainClient()
		client.Transport.(*http.Transport).DisableKeepAlives = false
		t.Cleanup(client.CloseIdleConnections)

		req, err := http.NewRequestWithContext(t.Context(), "GET", base+"/api/v1/logs?follow=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		bearer(readToken1)(req)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "first") {
			t.Fatalf("%q, %v", line, err)
		}
		more := make(chan error, 1)
		go func() { _, err := lines.ReadByte(); more <- err }()

		r.host.hold, r.host.holding = make(chan struct{}), make(chan struct{})
		time.AfterFunc(5*r.s.writeTime, func() { close(r.host.hold) })
		r.send(client, "POST", base+"/api/v1/act", `{"verb":"stop","names":["api"]}`, bearer(actToken1), with("X-Host-Action", "1")).want(t, "an action that takes long", 200)
		tag := r.send(client, "GET", base+"/assets/app.js", "").header.Get("ETag")
		time.Sleep(3 * r.s.writeTime) // the connection rests for longer than a write may take
		r.send(client, "GET", base+"/assets/app.js", "", with("If-None-Match", tag)).want(t, "an answer without a body", 304)
		select {
		case err := <-more:
			t.Errorf("TLS %v: the stream ended: %v", secure, err)
		default:
		}
	}
}

func TestReaderThatNeverReadsIsLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.s.writeTime = 100 * time.Millisecond
	base := r.loopback()
	r.host.logs = 1 << 20
	slow, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "GET /api/v1/logs?follow=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", readToken1)
	eventually(t, "the answer to be given up", func() bool {
		r.host.mu.Lock()
		defer r.host.mu.Unlock()
		return r.host.gaveUp
	})
}
