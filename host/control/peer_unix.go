//go:build unix

package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// policy says who has which access; gid is -1 without a control group.
type policy struct{ gid int }

// credentials of the process that opened a connection, as of then.
type credentials struct {
	uid    int
	groups []int // all of them, the effective one too
}

func identify(c net.Conn, p policy) (peer, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return peer{}, errors.New("not a socket")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	var cred credentials
	var cerr error
	if err := raw.Control(func(fd uintptr) { cred, cerr = peerCredentials(int(fd)) }); err != nil {
		return peer{}, err
	}
	if cerr != nil {
		return peer{}, fmt.Errorf("cannot tell who is calling: %w", cerr)
	}
	return peer{access: p.access(cred, os.Geteuid()), name: userName(cred.uid)}, nil
}

func (p policy) access(c credentials, owner int) Access {
	switch {
	case c.uid == 0 || c.uid == owner:
		return Admin
	case p.gid >= 0 && slices.Contains(c.groups, p.gid):
		return Act
	default:
		return None
	}
}

var userNames sync.Map // uid → name; a look-up may ask the network

func userName(uid int) string {
	if name, ok := userNames.Load(uid); ok {
		return name.(string)
	}
	id := strconv.Itoa(uid)
	name := "uid " + id
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		name = u.Username
	}
	userNames.Store(uid, name)
	return name
}
