//go:build darwin || freebsd

package control

import "golang.org/x/sys/unix"

// SOL_LOCAL and LOCAL_PEERCRED of sys/un.h.
const (
	solLocal      = 0
	localPeerCred = 1
)

func peerCredentials(fd int) (credentials, error) {
	x, err := unix.GetsockoptXucred(fd, solLocal, localPeerCred)
	if err != nil {
		return credentials{}, err
	}
	c := credentials{uid: int(x.Uid)}
	for _, g := range x.Groups[:min(max(int(x.Ngroups), 0), len(x.Groups))] {
		c.groups = append(c.groups, int(g))
	}
	return c, nil
}
