package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// pipeAccess is what a client needs: read, write and synchronize, without the right to create further
// instances of the pipe, which GENERIC_WRITE would include.
const pipeAccess = 0x12019b

// claim is the right to be the host of one spec. The first instance of a pipe can only be made once,
// so there is nothing else to hold.
type claim struct{}

func take(_, id string) (*claim, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := winio.DialPipeAccessImpLevel(ctx, pipeName(id), pipeAccess, winio.PipeImpLevelAnonymous)
	if err == nil {
		pid := serverPID(conn)
		_ = conn.Close()
		return nil, &AlreadyRunningError{PID: pid}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &claim{}, nil
	}
	return nil, &AlreadyRunningError{}
}

func (*claim) release() {}

// sweep has nothing to do: a pipe ends with its host, and registrations are removed by who finds them stale.
func sweep(string) {}

func pipeName(id string) string { return `\\.\pipe\servicehost-` + id }

// listen opens the pipe. A group that can't be let in is reported in warn, not refused: a host without
// a control group serves better than none.
func listen(_, id, group string) (l net.Listener, address string, p policy, warn, err error) {
	address = pipeName(id)
	me, err := currentUser()
	if err != nil {
		return nil, "", p, nil, fmt.Errorf("cannot listen for commands: %w", err)
	}
	p.owner = me
	if group != "" {
		p.group, _, _, warn = windows.LookupSID("", group)
		if warn != nil {
			p.group = nil
			warn = fmt.Errorf("cannot let group %q use the control pipe: %w", group, warn)
		}
	}
	l, err = winio.ListenPipe(address, &winio.PipeConfig{SecurityDescriptor: p.sddl(), InputBufferSize: 16 << 10, OutputBufferSize: 64 << 10})
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrExist) {
			return nil, "", p, nil, fmt.Errorf("cannot listen for commands: another program has the pipe %s", address)
		}
		return nil, "", p, nil, fmt.Errorf("cannot listen for commands: %w", err)
	}
	useUpFirstInstance(address)
	return l, address, p, warn, nil
}

// useUpFirstInstance opens and closes the pipe once. winio holds the first instance only to own the
// name and serves further ones; where that first one takes clients nevertheless (Wine), ours is the
// client that is lost. On Windows itself this is refused as busy.
func useUpFirstInstance(address string) {
	name, err := windows.UTF16PtrFromString(address)
	if err != nil {
		return
	}
	h, err := windows.CreateFile(name, pipeAccess, 0, nil, windows.OPEN_EXISTING, windows.SECURITY_SQOS_PRESENT|windows.SECURITY_ANONYMOUS, 0)
	if err == nil {
		_ = windows.CloseHandle(h)
	}
}

// sddl names everybody who may open the pipe; winio refuses remote clients by itself.
func (p policy) sddl() string {
	var b strings.Builder
	b.WriteString("D:P(A;;GA;;;SY)(A;;GA;;;BA)")
	fmt.Fprintf(&b, "(A;;GA;;;%s)", p.owner)
	if p.group != nil {
		fmt.Fprintf(&b, "(A;;0x%x;;;%s)", pipeAccess, p.group)
	}
	return b.String()
}
