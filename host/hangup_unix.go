//go:build unix

package host

import (
	"os"
	"os/signal"
	"syscall"
)

// hangups delivers SIGHUP, which asks for a reload.
func hangups() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
