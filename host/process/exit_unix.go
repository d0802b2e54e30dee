//go:build unix

package process

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exitOf turns a wait status into an Exit.
func exitOf(ws syscall.WaitStatus) Exit {
	e := Exit{At: time.Now()}
	if ws.Signaled() {
		e.Code, e.Signal, e.Core = 128+int(ws.Signal()), unix.SignalName(ws.Signal()), ws.CoreDump()
		return e
	}
	e.Code = ws.ExitStatus()
	return e
}
