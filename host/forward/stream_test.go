package forward

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/logs"
	"servicehost/spec"
)

// receiver counts octets like a syslog server. Closing it ends its connections.
type receiver struct {
	net.Listener
	mu    sync.Mutex
	got   []string
	conns []net.Conn
}

func newReceiver(t *testing.T, l net.Listener) *receiver {
	r := &receiver{Listener: l}
	t.Cleanup(r.stop)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, c)
			r.mu.Unlock()
			go r.read(c)
		}
	}()
	return r
}

func (r *receiver) read(c net.Conn) {
	b := bufio.NewReader(c)
	for {
		head, err := b.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSpace(head))
		if err != nil {
			return
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(b, message); err != nil {
			return
		}
		r.mu.Lock()
		r.got = append(r.got, string(message))
		r.mu.Unlock()
	}
}

func (r *receiver) stop() {
	r.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
}

func (r *receiver) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

func listenTCP(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func sendNow(t *testing.T, tr transport, rs []record) {
	t.Helper()
	if o := tr.send(t.Context(), rs); o.err != nil || o.done != len(rs) {
		t.Fatalf("%+v", o)
	}
}

const wantSyslog = `<158>1 2023-11-14T22:13:20.123456Z orders-01 api - stdout [host@32473 instance="2" stream="stdout" a_b="x\"y" env="prod"] one "quoted" \ 中`

func TestSyslogOverTCP(t *testing.T) {
	l := newReceiver(t, listenTCP(t, "127.0.0.1:0"))
	sendNow(t, transportOf(t, newPeer(spec.TargetSyslog, "tcp://"+l.Addr().String())), someRecords(t))
	poll(t, "four messages", func() bool { return len(l.all()) == 4 })
	got := l.all()
	if got[0] != wantSyslog {
		t.Errorf("got\n%s\nwant\n%s", got[0], wantSyslog)
	}
	if !strings.HasPrefix(got[1], "<158>1 ") || !strings.HasSuffix(got[1], "] two\nlines") || !strings.HasPrefix(got[2], "<156>1 ") {
		t.Errorf("got %q", got)
	}
}

func TestSyslogOverUDP(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil && strings.Contains(err.Error(), "wsaioctl") {
		t.Skipf("Wine lacks what Go asks of UDP: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tr := transportOf(t, newPeer(spec.TargetSyslog, "udp://"+l.LocalAddr().String()))
	sendNow(t, tr, someRecords(t))
	b := make([]byte, 64<<10)
	n, _, err := l.ReadFrom(b)
	if err != nil || string(b[:n]) != wantSyslog {
		t.Errorf("%v, got\n%s\nwant\n%s", err, b[:n], wantSyslog)
	}
	for range 3 {
		if _, _, err := l.ReadFrom(b); err != nil {
			t.Fatal(err)
		}
	}
	long := line(0)
	long.Text = []byte(strings.Repeat("中", 10000))
	sendNow(t, tr, recordsOf(t, long))
	if n, _, err = l.ReadFrom(b); err != nil || n > maxDatagram || n < maxDatagram-3 || !strings.HasSuffix(string(b[:n]), "中") {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestLinesOverTLS trusts the authority of the spec, shows a certificate, and nobody else is trusted.
func TestLinesOverTLS(t *testing.T) {
	web := newServer(t, true, nil) // for its certificate
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	pair := web.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newReceiver(t, tls.NewListener(listenTCP(t, "127.0.0.1:0"), &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert}))
	p := newPeer(spec.TargetSyslog, "tls://"+l.Addr().String())
	if o := transportOf(t, p).send(t.Context(), someRecords(t)); o.err == nil || !strings.Contains(o.err.Error(), "certificate") {
		t.Errorf("an unknown authority: %+v", o)
	}
	p.TLS.CA, p.TLS.ServerName = ca, "elsewhere"
	if o := transportOf(t, p).send(t.Context(), someRecords(t)); o.err == nil || !strings.Contains(o.err.Error(), "elsewhere") {
		t.Errorf("another name: %+v", o)
	}
	p.TLS.ServerName, p.TLS.Cert, p.TLS.Key = "example.com", ca, filepath.Join(dir, "key.pem")
	sendNow(t, transportOf(t, p), someRecords(t))
	poll(t, "four messages", func() bool { return len(l.all()) == 4 })

	q := newPeer(spec.TargetLoki, web.URL)
	if o := transportOf(t, q).send(t.Context(), someRecords(t)); o.err == nil {
		t.Error("an unknown authority of a server was trusted")
	}
	q.TLS.CA = ca
	sendNow(t, transportOf(t, q), someRecords(t))
	q.TLS.CA, q.TLS.Insecure = "", true
	sendNow(t, transportOf(t, q), someRecords(t))
	q.TLS.CA, q.TLS.Insecure = filepath.Join(dir, "key.pem"), false
	if o := transportOf(t, q).send(t.Context(), someRecords(t)); o.err == nil || !strings.Contains(o.err.Error(), "holds no certificate") {
		t.Errorf("%+v", o)
	}
}

// TestPeerThatWentAwayIsNoticedBeforeABatchIsLost: the first write to a closed connection succeeds.
func TestPeerThatWentAwayIsNoticedBeforeABatchIsLost(t *testing.T) {
	addr := ""
	l := newReceiver(t, listenTCP(t, "127.0.0.1:0"))
	addr = l.Addr().String()
	p := newPeer(spec.TargetSyslog, "tcp://"+addr)
	rung := make(chan struct{}, 10)
	p.ring = func() { rung <- struct{}{} }
	tr := transportOf(t, p)
	rs := manyRecords(t, 300)
	sendNow(t, tr, rs[:100])
	poll(t, "the first batch", func() bool { return len(l.all()) == 100 })
	l.stop()
	<-rung
	if !tr.owes() {
		t.Error("what was written just before the end is not owed")
	}
	if o := tr.send(t.Context(), rs[100:200]); o.err == nil || o.done != 0 {
		t.Errorf("sent to nobody: %+v", o)
	}
	again := newReceiver(t, listenTCP(t, addr))
	sendNow(t, tr, rs[100:200])
	sendNow(t, tr, rs[200:])
	poll(t, "all batches", func() bool { return len(again.all()) == 300 }) // the first one once more
	for n, m := range again.all() {
		if !strings.HasSuffix(m, "] "+strconv.Itoa(n)) {
			t.Fatalf("message %d is %s", n, m)
		}
	}
	if tr.owes() {
		t.Error("something is still owed")
	}

	// One that was restarted meanwhile costs no failure.
	again.stop()
	<-rung
	third := newReceiver(t, listenTCP(t, addr))
	sendNow(t, tr, rs[:1])
	poll(t, "the last message", func() bool { got := third.all(); return len(got) > 0 && strings.HasSuffix(got[len(got)-1], "] 0") })
}

func TestPeerThatDoesNotReadIsGivenUp(t *testing.T) {
	l := listenTCP(t, "127.0.0.1:0")
	defer l.Close()
	p := newPeer(spec.TargetSyslog, "tcp://"+l.Addr().String())
	p.Timeout = 100 * time.Millisecond
	tr := transportOf(t, p)
	big := logs.Record{Time: time.Now(), Service: "api", Instance: 1, ID: "api", Stream: "stdout", Text: []byte(strings.Repeat("x", maxText))}
	rs := recordsOf(t, big, big, big, big)
	for range 20 {
		if o := tr.send(t.Context(), rs); o.err != nil {
			if !strings.Contains(o.err.Error(), "does not take anything within 100ms") {
				t.Errorf("%v", o.err)
			}
			return
		}
	}
	t.Error("80 MiB were sent to somebody who reads nothing")
}

func TestSendEndsWithItsContext(t *testing.T) {
	l := listenTCP(t, "127.0.0.1:0")
	defer l.Close()
	tr := transportOf(t, newPeer(spec.TargetJSON, "tcp://"+l.Addr().String()))
	big := logs.Record{Time: time.Now(), Service: "api", Instance: 1, ID: "api", Stream: "stdout", Text: []byte(strings.Repeat("x", maxText))}
	rs := recordsOf(t, big, big, big, big)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	for {
		if o := tr.send(ctx, rs); o.err != nil {
			break
		}
	}
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestTargetOverTCPComesBack runs the whole way, with a receiver that is stopped and started again.
func TestTargetOverTCPComesBack(t *testing.T) {
	l := newReceiver(t, listenTCP(t, "127.0.0.1:0"))
	addr := l.Addr().String()
	hub := New(Options{Dir: filepath.Join(t.TempDir(), "spool"), Host: "here"})
	hub.Apply(map[string]spec.LogTarget{"s": {Type: spec.TargetSyslog, URL: "tcp://" + addr, Spool: 1 << 20, Timeout: time.Second, Facility: "user"}})
	sink := hub.Sink("s")
	take := func(from, to int) {
		for n := from; n < to; n++ {
			sink.Take(line(n))
		}
	}
	take(0, 100)
	poll(t, "the first records", func() bool { return len(l.all()) == 100 })
	l.stop()
	take(100, 200)
	again := newReceiver(t, listenTCP(t, addr))
	last := func() string {
		if got := again.all(); len(got) > 0 {
			return got[len(got)-1]
		}
		return ""
	}
	poll(t, "the last record", func() bool { return strings.HasSuffix(last(), "] 199") })
	seen := map[string]bool{}
	for _, m := range append(l.all(), again.all()...) {
		seen[m[strings.LastIndexByte(m, ' ')+1:]] = true
	}
	for n := range 200 {
		if !seen[fmt.Sprint(n)] {
			t.Errorf("%d is missing", n)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	hub.Close(ctx)
}
