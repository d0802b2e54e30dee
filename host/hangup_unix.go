//go:build unix

package host

import (
	"os"
	"os/signal"
	"syscall"
)

// askingSignals delivers SIGHUP, which asks for a reload, and SIGUSR1, which asks for new log files. They are
// taken from the very start to the very end: at any other time they would end the process.
func askingSignals() (<-chan Control, func()) {
	from, to, done := make(chan os.Signal, 2), make(chan Control), make(chan struct{})
	signal.Notify(from, syscall.SIGHUP, syscall.SIGUSR1)
	go func() {
		for {
			var c Control
			select {
			case s := <-from:
				c = ControlReload
				if s == syscall.SIGUSR1 {
					c = ControlRotate
				}
			case <-done:
				return
			}
			select {
			case to <- c:
			case <-done:
				return
			}
		}
	}()
	return to, func() {
		signal.Stop(from)
		close(done)
	}
}
