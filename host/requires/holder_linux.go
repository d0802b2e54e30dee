package requires

import (
	"bufio"
	"bytes"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

const stateListen = "0A"

// listener is a line of /proc/net/tcp.
type listener struct{ uid, inode string }

// listeners are the sockets that listen on a port, in the network of this process.
func listeners(n int) []listener {
	var out []listener
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if l, ok := parseListener(s.Text(), n); ok {
				out = append(out, l)
			}
		}
		f.Close()
	}
	return out
}

// parseListener reads a line: sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode.
// https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
func parseListener(line string, port int) (l listener, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != stateListen {
		return l, false
	}
	_, hex, found := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(hex, 16, 16)
	if !found || err != nil || int(n) != port {
		return l, false
	}
	return listener{uid: f[7], inode: f[9]}, true
}

func listening(n int) bool { return len(listeners(n)) > 0 }

// holder looks through all processes, which is done only when a port is taken.
func holder(n int) Holder {
	socks := listeners(n)
	wanted := map[string]bool{}
	for _, l := range socks {
		wanted["socket:["+l.inode+"]"] = true
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || len(wanted) == 0 {
			continue
		}
		dir := filepath.Join("/proc", e.Name(), "fd")
		fds, _ := os.ReadDir(dir) // of others only root may read it
		for _, fd := range fds {
			if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && wanted[to] {
				name, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "comm"))
				return Holder{PID: pid, Name: string(bytes.TrimSpace(name))}
			}
		}
	}
	if len(socks) == 0 {
		return Holder{}
	}
	uid := socks[0].uid
	if u, err := user.LookupId(uid); err == nil {
		return Holder{User: u.Username}
	}
	return Holder{User: uid}
}
