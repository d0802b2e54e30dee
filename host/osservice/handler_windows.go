package osservice

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// While a service stops it reports every tick, and promises the next report within the hint.
const (
	tick = time.Second
	hint = 3 * tick
)

// acceptedFirst are the controls that are taken from the start; with PRESHUTDOWN there is no SHUTDOWN. The
// others follow when the host is ready, which is also how Start sees that it is: RUNNING says nothing of that.
// https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_status
const (
	acceptedFirst = svc.AcceptStop | svc.AcceptPreShutdown
	accepted      = acceptedFirst | svc.AcceptParamChange | svc.AcceptSessionChange | svc.AcceptPowerEvent
)

// User controls, as NSSM has them: 128 rotates.
const (
	rotateControl = svc.Cmd(128)
	dumpControl   = svc.Cmd(129)
)

// handler is one run of the host under the SCM.
type handler struct {
	ctx     context.Context // of main; svc.Handler's Execute takes none
	body    func(ctx context.Context, s *Service) error
	service *Service
	resize  func(time.Duration) error
	err     error // of body
}

// stopState is a stop that is under way.
type stopState struct {
	began  time.Time
	ticker *time.Ticker
	steps  int // that the last checkpoint has seen
}

// Execute talks with the SCM while body runs. It never blocks: x/sys hands over one control at a time, and
// the SCM waits for that.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (specific bool, code uint32) {
	changes <- svc.Status{State: svc.StartPending, WaitHint: uint32(hint.Milliseconds())}
	ignoreConsole()
	s := h.service
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.ctx))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- guarded(func() error { return h.body(ctx, s) }) }()
	go h.keepBudget(ctx)
	now := svc.Status{State: svc.Running, Accepts: acceptedFirst}
	changes <- now

	var (
		asked   bool     // to stop, by the SCM
		pending []string // controls that the host has not taken yet
		stop    stopState
		ticks   <-chan time.Time
	)
	begin := func() {
		if stop.ticker != nil {
			return
		}
		stop.began, stop.ticker = time.Now(), time.NewTicker(tick)
		_, _, stop.steps = s.stop()
		ticks, pending = stop.ticker.C, nil
		now = svc.Status{State: svc.StopPending, CheckPoint: 1, WaitHint: uint32(hint.Milliseconds())}
		changes <- now
	}
	defer func() {
		if stop.ticker != nil {
			stop.ticker.Stop()
		}
	}()
	for {
		var offer chan string
		var next string
		if len(pending) > 0 {
			offer, next = s.controls, pending[0]
		}
		select {
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				changes <- now
			case svc.Stop, svc.PreShutdown, svc.Shutdown:
				asked = true
				begin()
				cancel()
			default:
				if c := controlOf(r); c != "" && stop.ticker == nil && !slices.Contains(pending, c) {
					pending = append(pending, c)
				}
			}
		case offer <- next:
			pending = pending[1:]
		case <-s.ready:
			if stop.ticker == nil {
				now.Accepts = accepted
				changes <- now
			}
		case <-s.moved:
			if stopping, _, _ := s.stop(); stopping {
				begin()
			}
		case <-ticks:
			_, budget, steps := s.stop()
			// Beyond the budget only progress counts: a stop that hangs must look so.
			if steps != stop.steps || time.Since(stop.began) <= budget {
				stop.steps = steps
				now.CheckPoint++
				changes <- now
			}
		case err := <-done:
			h.err = err
			if asked {
				// An error in a stop that was asked for must not make the SCM start the service again.
				if errors.Is(err, context.Canceled) {
					h.err = nil
				}
				return false, 0
			}
			return err != nil, codeOf(err)
		}
	}
}

// keepBudget tells the SCM of new budgets until the host ends.
func (h *handler) keepBudget(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-h.service.resize:
			if err := h.resize(d); err != nil {
				h.service.warnOnce(fmt.Sprintf("cannot set the time to stop at a shutdown of the machine: %s; install the service again after a change of it", inWords(err)))
			}
		}
	}
}

// controlOf is what a control asks of the host; unknown ones ask nothing. What sessions and power events
// point to is gone when it is read, so they are hints.
// https://learn.microsoft.com/windows/win32/api/winsvc/nc-winsvc-lphandler_function_ex
func controlOf(r svc.ChangeRequest) string {
	switch {
	case r.Cmd == svc.ParamChange:
		return "reload"
	case r.Cmd == rotateControl:
		return "rotate"
	case r.Cmd == dumpControl:
		return "dump"
	case r.Cmd == svc.SessionChange && r.EventType >= windows.WTS_CONSOLE_CONNECT && r.EventType <= windows.WTS_SESSION_LOGOFF:
		return "session" // not when a screen is locked
	case r.Cmd == svc.PowerEvent && (r.EventType == resumeCritical || r.EventType == resumeSuspend || r.EventType == resumeAutomatic):
		return "resume"
	}
	return ""
}

// Events of POWEREVENT, of winuser.h.
// https://learn.microsoft.com/windows/win32/power/power-management-events
const (
	resumeCritical  = 0x6
	resumeSuspend   = 0x7
	resumeAutomatic = 0x12
)

// guarded turns a panic into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// codeOf is the exit code for an error; never 0, which would be no failure for the SCM.
func codeOf(err error) uint32 {
	if err == nil {
		return 0
	}
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) && coded.ExitCode() != 0 {
		return uint32(coded.ExitCode())
	}
	return 1
}

var (
	kernel32                  = windows.NewLazySystemDLL("kernel32.dll")
	procSetConsoleCtrlHandler = kernel32.NewProc("SetConsoleCtrlHandler")
)

// ignoreConsole keeps CTRL_LOGOFF and CTRL_SHUTDOWN, which services with a console get when any user signs
// off, from the handler of the Go runtime: it makes SIGTERM of them. The last handler is asked first, and
// unlike the flag for Ctrl-C it is not inherited by children.
// https://learn.microsoft.com/windows/console/handlerroutine
func ignoreConsole() {
	const handled = 1
	_, _, _ = procSetConsoleCtrlHandler.Call(windows.NewCallback(func(uint32) uintptr { return handled }), 1)
}
