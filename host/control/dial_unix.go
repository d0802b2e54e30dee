//go:build unix

package control

import (
	"context"
	"net"
)

func dial(ctx context.Context, e Entry) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", e.Address)
}

const deniedHint = "use the account that runs the host, root (sudo), or an account in the group that host.control.group names"
