//go:build unix

package osservice

import (
	"context"
	"strings"
	"time"
)

// Service is the service manager as the running host sees it: systemd, or one that wants to know nothing.
// Its methods may be called from any goroutine.
type Service struct{ notify notifier }

// Run runs body as the service with this name. A stop by the manager is a signal here, as any other
// that ends ctx.
func Run(ctx context.Context, _ string, body func(ctx context.Context, s *Service) error) error {
	s := &Service{notify: takeNotifier()}
	err := body(ctx, s)
	last := "stopped"
	if err != nil {
		last = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	s.Status(last) // systemctl status keeps showing it
	return err
}

// Controls is what the manager asks for besides a stop. Here all of that comes over the control channel
// and by signals.
func (s *Service) Controls() <-chan string { return nil }

// Ready says that the host is up.
func (s *Service) Ready() { s.notify.send("READY=1") }

// Reloading says that an edit is being taken in, Reloaded that it was.
func (s *Service) Reloading() { s.notify.send("RELOADING=1", "MONOTONIC_USEC="+monotonic()) }

// Reloaded ends what Reloading began.
func (s *Service) Reloaded() { s.notify.send("READY=1") }

// Status is the line that systemctl status shows.
func (s *Service) Status(line string) { s.notify.send("STATUS=" + oneLine(line)) }

// Budget has nothing to do: the unit has the budget of its install, and Stopping asks for more.
func (s *Service) Budget(time.Duration) {}

// Stopping says that the stop begins and asks for the time that it may take: TimeoutStopSec of the unit
// is that of the spec at install.
func (s *Service) Stopping(budget time.Duration) {
	s.notify.send("STOPPING=1", "EXTEND_TIMEOUT_USEC="+microseconds(budget))
}

// Progress has nothing to do: Stopping has asked for all the time.
func (s *Service) Progress(int) {}

// Alive feeds the watchdog.
func (s *Service) Alive() { s.notify.send("WATCHDOG=1") }

// WatchdogInterval is how often Alive is wanted; 0: not at all.
func (s *Service) WatchdogInterval() time.Duration { return s.notify.watchdog }
