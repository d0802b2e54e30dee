package web

import (
	"bytes"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"servicehost/spec"
)

const (
	maxConns   = 512
	maxHeader  = 16 << 10
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	// endTime is what requests get to finish when their listener is closed.
	endTime = 5 * time.Second
)

// listener is one address that is served.
type listener struct {
	conf     spec.HTTP
	net      net.Listener
	http     *http.Server
	certs    *certs // nil: no TLS
	loopback bool
	machine  string
	streams  context.Context // ends before the requests do
	stop     context.CancelFunc
	draining *sync.WaitGroup
	hurry    context.Context // ends when nothing is to be waited for any more
	done     chan struct{}
	err      error // why it ended, once done is closed
}

// listen opens the address, and refuses what would let strangers in.
func (s *Server) listen(c spec.HTTP) (*listener, error) {
	l := &listener{conf: c, machine: s.machine, done: make(chan struct{}), draining: &s.draining, hurry: s.hurry}
	if c.TLS.Cert != "" {
		l.certs = newCerts(c.TLS, s.warn)
		if err := l.certs.load(); err != nil {
			return nil, err
		}
	}
	var err error
	if l.net, err = (&net.ListenConfig{}).Listen(s.ctx, "tcp", c.Listen); err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok {
			err = op.Err // the address is told already
		}
		return nil, err
	}
	addr, ok := l.net.Addr().(*net.TCPAddr)
	l.loopback = ok && addr.IP.IsLoopback()
	if !l.loopback {
		switch {
		case l.certs == nil:
			err = errors.New("it is beyond loopback, and that needs host.http.tls")
		case len(c.Tokens) == 0 && c.TLS.ClientCA == "":
			err = errors.New("it is beyond loopback, and that needs host.http.tokens or tls.client_ca")
		}
		if err != nil {
			_ = l.net.Close()
			return nil, err
		}
	}
	l.streams, l.stop = context.WithCancel(s.ctx)
	l.http = &http.Server{
		Handler:           &handler{s, l},
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog:          log.New(panics(s.warn), "", 0),
	}
	go l.serve(&bounded{Listener: l.net, free: make(chan struct{}, maxConns)})
	return l, nil
}

// panics takes what the server logs, and passes on what is a bug of ours: everything else any scan of the port
// could write.
type panics func(string, ...any)

func (p panics) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("http: panic")) {
		p("host.http: %s", bytes.TrimSpace(b))
	}
	return len(b), nil
}

func (l *listener) serve(n net.Listener) {
	defer close(l.done)
	if l.certs != nil {
		l.http.TLSConfig = l.certs.serverConfig()
		l.err = l.http.ServeTLS(n, "", "")
		return
	}
	l.err = l.http.Serve(n)
}

// end closes the address at once and the streams with it. What is being answered, the reload that asked for this
// end perhaps, has a moment more, for which nobody waits.
func (l *listener) end() {
	if l == nil {
		return
	}
	l.stop()
	_ = l.net.Close()
	<-l.done
	l.draining.Go(func() {
		ctx, cancel := context.WithTimeout(l.hurry, endTime)
		defer cancel()
		if l.http.Shutdown(ctx) != nil {
			_ = l.http.Close()
		}
	})
}

// base is the address as a browser on this machine wants it.
func (l *listener) base() string {
	_, port, _ := net.SplitHostPort(l.net.Addr().String())
	scheme := "http://"
	if l.certs != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(l.hostname(), port)
}

// hostname is one by which this machine is reached, and of which the certificate tells.
func (l *listener) hostname() string {
	listen := l.listenHost()
	addr, _ := l.net.Addr().(*net.TCPAddr)
	if addr != nil && (listen == "" || addr.IP.IsUnspecified()) {
		listen = l.machine
	}
	switch {
	case l.certs == nil || l.certs.covers(listen):
		return listen
	case l.loopback: // no other name leads here for sure
		if l.certs.covers("localhost") {
			return "localhost"
		}
		return listen
	}
	if name := l.certs.name(); name != "" {
		return name
	}
	return listen
}

func (l *listener) listenHost() string {
	host, _, _ := net.SplitHostPort(l.conf.Listen)
	return host
}

func (l *listener) port() int {
	_, port, _ := net.SplitHostPort(l.net.Addr().String())
	n, _ := strconv.Atoi(port)
	return n
}

// bounded refuses connections beyond a number: a client that holds hundreds must not take all descriptors.
type bounded struct {
	net.Listener
	free chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.free <- struct{}{}:
			return &boundedConn{Conn: c, release: sync.OnceFunc(func() { <-b.free })}, nil
		default:
			_ = c.Close()
		}
	}
}

type boundedConn struct {
	net.Conn
	release func()
}

func (c *boundedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
