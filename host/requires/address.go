package requires

import (
	"context"
	"errors"
	"net"
	"os"

	"servicehost/host/human"
)

// address looks whether somebody takes a connection.
func address(ctx context.Context, hostport string) *Unmet {
	d := net.Dialer{KeepAlive: -1}
	c, err := d.DialContext(ctx, "tcp", hostport)
	if err != nil {
		return &Unmet{Message: "tcp " + hostport + ": " + netWords(err)}
	}
	_ = c.Close()
	return nil
}

// netWords is what an error of the network means, without the addresses that the sentence begins with.
func netWords(err error) string {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case isRefused(err):
		return "connection refused"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no connection within " + human.Duration(Timeout)
	case dns != nil:
		return "its name can't be looked up: " + dns.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	}
	if sys, ok := errors.AsType[*os.SyscallError](err); ok {
		err = sys.Err
	}
	return err.Error()
}
