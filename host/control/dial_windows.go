package control

import (
	"context"
	"fmt"
	"net"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// dial opens the pipe so that the server may learn who we are but not act in our name, and makes sure
// that the process behind it is the one that registered: anybody may create a pipe of any name.
func dial(ctx context.Context, e Entry) (net.Conn, error) {
	conn, err := winio.DialPipeAccessImpLevel(ctx, e.Address, pipeAccess, winio.PipeImpLevelIdentification)
	if err != nil {
		return nil, err
	}
	if pid := serverPID(conn); pid != e.PID {
		_ = conn.Close()
		return nil, fmt.Errorf("pipe %s belongs to process %d, not to the host with pid %d", e.Address, pid, e.PID)
	}
	return conn, nil
}

// serverPID returns the process behind a pipe, 0 when the system doesn't say.
func serverPID(conn net.Conn) int {
	h, ok := pipeHandle(conn)
	if !ok {
		return 0
	}
	var pid uint32
	if err := windows.GetNamedPipeServerProcessId(h, &pid); err != nil {
		return 0
	}
	return int(pid)
}

func pipeHandle(conn net.Conn) (windows.Handle, bool) {
	f, ok := conn.(interface{ Fd() uintptr })
	if !ok {
		return 0, false
	}
	return windows.Handle(f.Fd()), true
}

const deniedHint = "use an elevated prompt (Run as administrator), or an account in the group that host.control.group names"
