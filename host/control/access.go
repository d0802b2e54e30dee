package control

import (
	"net"
	"sync"
)

// Access is what somebody may do, each level including those before it.
type Access int

// The levels. Over the local channel the owner of the host and the administrator have Admin, members
// of host.control.group have Act.
const (
	None Access = iota
	Read
	Act
	Admin
)

func (a Access) String() string {
	switch a {
	case Read:
		return "read"
	case Act:
		return "act"
	case Admin:
		return "admin"
	default:
		return "none"
	}
}

// peer is who is at the other end of a connection.
type peer struct {
	access Access
	name   string // ops\li.wei, root
	denied string // what to do where that is not enough; empty: what the local channel says
}

// peerConn remembers who is at its other end. It is asked for at the first request, as Windows tells
// only after something was read.
type peerConn struct {
	net.Conn
	once sync.Once
	peer peer
	err  error
}

func (c *peerConn) who(p policy) (peer, error) {
	c.once.Do(func() { c.peer, c.err = identify(c.Conn, p) })
	return c.peer, c.err
}
