package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// dialer connects to one host and port. localhost is both loopback addresses, whatever the machine's hosts file
// says, the one that answered last first.
type dialer struct {
	addresses []string     // more than one: those of localhost
	last      atomic.Int32 // index of the one that answered
}

func newDialer(host string, port uint16) *dialer {
	at := func(host string) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return &dialer{addresses: []string{at("127.0.0.1"), at("::1")}}
	}
	return &dialer{addresses: []string{at(host)}}
}

// dial connects; the context has a deadline. A connection is never kept: that of a probe is to show that the
// service takes new ones, and an idle one would hold a worker of many a server.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	var first error
	start := int(d.last.Load())
	for n := range d.addresses {
		at := (start + n) % len(d.addresses)
		c, err := d.one(ctx, d.addresses[at], len(d.addresses)-n)
		if err == nil {
			d.last.Store(int32(at))
			return c, nil
		}
		// That IPv6 is switched off, or refuses, says less than what the other family answered.
		if first == nil || isTimeout(first) {
			first = err
		}
	}
	return nil, first
}

// one tries an address, leaving as much time to each of those that come after it. Not by DialTCP: it binds a port
// first, of which there are far fewer than of connections, each taken for a minute after its end.
func (d *dialer) one(ctx context.Context, address string, left int) (net.Conn, error) {
	nd := net.Dialer{KeepAlive: -1}
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		nd.Timeout = time.Until(deadline) / time.Duration(left)
	}
	return nd.DialContext(ctx, "tcp", address)
}

// splitPort takes an address of a tcp probe apart.
func splitPort(address string) (host string, port uint16, problem string) {
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, "it is no address like host:port"
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", 0, "the port must be a number from 1 to 65535"
	}
	return host, uint16(n), ""
}

// tcpAsker connects and closes.
type tcpAsker struct{ d *dialer }

func newTCP(address string) asker {
	host, port, problem := splitPort(address)
	if problem != "" {
		return broken(problem)
	}
	return tcpAsker{newDialer(host, port)}
}

func (a tcpAsker) ask(ctx context.Context, timeout time.Duration) answer {
	c, err := a.d.dial(ctx)
	if err != nil {
		return netAnswer(err, "no connection", timeout)
	}
	_ = c.Close()
	return answer{}
}

// netAnswer is what an error of the network means, without the addresses that the reason begins with.
func netAnswer(err error, missing string, timeout time.Duration) answer {
	var dns *net.DNSError
	switch {
	case isRefused(err):
		return answer{problem: "connection refused", nobody: true}
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return failed("no such host")
		}
		return failed("its name can't be looked up: " + dns.Err)
	case isTimeout(err):
		return failed(missing + " within " + text(timeout))
	case isReset(err):
		return failed("the connection was reset")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failed("the connection was closed without an answer")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	}
	if sys, ok := errors.AsType[*os.SyscallError](err); ok {
		err = sys.Err
	}
	return failed(err.Error())
}

func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
