package osservice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// status asks with the rights that every user has; what only others may read is left empty.
func (m *manager) status(ctx context.Context, name string) (Status, error) {
	out := Status{Name: name}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	err := m.with(name, windows.SERVICE_QUERY_STATUS, func(h windows.Handle) error {
		s, gone, err := m.look(h)
		if err != nil {
			return err
		}
		if gone {
			out.State, out.ExitCode, out.Detail = Failed, int(windows.ERROR_PROCESS_ABORTED), errGone.Error()
			return nil
		}
		out.State, out.PID, out.ExitCode, out.Detail = stateOf(s), int(s.ProcessId), exitCode(s), detail(s)
		return nil
	})
	if err != nil {
		return out, failed("query", name, err)
	}
	_ = m.with(name, windows.SERVICE_QUERY_CONFIG, func(h windows.Handle) error {
		c, err := m.api.query(h)
		if err != nil {
			return err
		}
		out.Start, out.Account, out.Command = StartType(startWord(c.start)), c.account, c.path
		if b, err := m.api.query2(h, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO); err == nil && out.Start == StartAuto &&
			(*windows.SERVICE_DELAYED_AUTO_START_INFO)(structure(b)).IsDelayedAutoStartUp != 0 {
			out.Start = StartDelayed
		}
		return nil
	})
	return out, nil
}

func stateOf(s windows.SERVICE_STATUS_PROCESS) State {
	switch s.CurrentState {
	case windows.SERVICE_START_PENDING:
		return Starting
	case windows.SERVICE_RUNNING:
		return Running
	case windows.SERVICE_STOP_PENDING:
		return Stopping
	case windows.SERVICE_PAUSED, windows.SERVICE_PAUSE_PENDING, windows.SERVICE_CONTINUE_PENDING:
		return Paused
	}
	if exitCode(s) != 0 {
		return Failed
	}
	return Stopped
}

// exitCode is the code that the service gave, else the error of the SCM; never started is no error.
func exitCode(s windows.SERVICE_STATUS_PROCESS) int {
	switch no := windows.Errno(s.Win32ExitCode); {
	case no == windows.ERROR_SERVICE_SPECIFIC_ERROR:
		return int(int32(s.ServiceSpecificExitCode))
	case no == windows.ERROR_SERVICE_NEVER_STARTED:
		return 0
	}
	return int(int32(s.Win32ExitCode))
}

func detail(s windows.SERVICE_STATUS_PROCESS) string {
	switch s.CurrentState {
	case windows.SERVICE_START_PENDING, windows.SERVICE_STOP_PENDING:
		return fmt.Sprintf("checkpoint %d, the next within %s", s.CheckPoint, human.Duration(time.Duration(s.WaitHint)*time.Millisecond))
	case windows.SERVICE_STOPPED:
		if exitCode(s) != 0 {
			return ended(s).Error()
		}
	}
	return ""
}

// ended says how a service ended that should run.
func ended(s windows.SERVICE_STATUS_PROCESS) error {
	switch no := windows.Errno(s.Win32ExitCode); no {
	case windows.ERROR_SERVICE_SPECIFIC_ERROR:
		return fmt.Errorf("it ended with exit code %d; its log and the Event Log say why", exitCode(s))
	case 0:
		return errors.New("it ended at once, without an error; its log says why")
	default:
		return errors.New(inWords(no))
	}
}
