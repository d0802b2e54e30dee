package osservice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/windows"
)

func running(t *testing.T, states ...windows.SERVICE_STATUS_PROCESS) (*fakeSCM, *manager) {
	f := newFakeSCM(t).installed("host", asSample())
	f.states = states
	return f, &manager{api: f}
}

var (
	stopped      = state(windows.SERVICE_STOPPED)
	startPending = state(windows.SERVICE_START_PENDING)
	stopPending  = state(windows.SERVICE_STOP_PENDING)
	runs         = state(windows.SERVICE_RUNNING)
	ready        = windows.SERVICE_STATUS_PROCESS{CurrentState: windows.SERVICE_RUNNING, ControlsAccepted: 0x1c9}
)

func failedWith(code uint32) windows.SERVICE_STATUS_PROCESS {
	s := stopped
	s.Win32ExitCode, s.ServiceSpecificExitCode = uint32(windows.ERROR_SERVICE_SPECIFIC_ERROR), code
	return s
}

func TestStartWaitsUntilTheServiceRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := running(t, stopped, stopped, startPending, startPending, runs, runs, ready)
		began := time.Now()
		if err := m.start(t.Context(), "host"); err != nil || len(f.states) != 1 || time.Since(began) > 2*time.Second {
			t.Fatalf("%v after %s, with %d states left", err, time.Since(began), len(f.states))
		}
		if !slices.Contains(f.calls, "start") || f.access["service"] != windows.SERVICE_START|windows.SERVICE_QUERY_STATUS || f.access["manager"] != windows.SC_MANAGER_CONNECT {
			t.Errorf("calls %v, rights %v", f.calls, f.access)
		}
	})
}

func TestStartOfAStartedServiceDoesNothing(t *testing.T) {
	f, m := running(t, runs)
	if err := m.start(t.Context(), "host"); err != nil || slices.Contains(f.calls, "start") {
		t.Errorf("%v, calls %v", err, f.calls)
	}
	f, m = running(t, stopped, ready)
	f.errs["start"] = windows.ERROR_SERVICE_ALREADY_RUNNING
	if err := m.start(t.Context(), "host"); err != nil {
		t.Error(err)
	}
}

func TestStartWaitsForAStopThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := running(t, stopPending, stopPending, stopped, ready)
		f.onStatus = func() {
			if slices.Contains(f.calls, "start") && f.states[0].CurrentState == windows.SERVICE_STOP_PENDING {
				t.Error("it was started while it stopped")
			}
		}
		if err := m.start(t.Context(), "host"); err != nil {
			t.Error(err)
		}
	})
}

// One that needs long to be ready has started.
func TestStartDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m := running(t, stopped, runs)
		began := time.Now()
		if err := m.start(t.Context(), "host"); err != nil || time.Since(began) < settled {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// A service says RUNNING before it has read its spec.
func TestStartSeesAnEndRightAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m := running(t, stopped, startPending, runs, runs, runs, failedWith(2))
		err := m.start(t.Context(), "host")
		if err == nil || !strings.Contains(err.Error(), `cannot start service "host": it ended with exit code 2`) {
			t.Error(err)
		}
	})
}

func TestStartGivesUpWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m := running(t, stopped, startPending)
		began := time.Now()
		err := m.start(t.Context(), "host")
		if err == nil || !strings.Contains(err.Error(), "no progress for 1m") || time.Since(began) > 2*time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestWaitGoesOnWhileCheckpointsRise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := running(t, runs, stopPending)
		began := time.Now()
		f.onStatus = func() {
			if len(f.states) == 1 {
				f.states[0].CheckPoint++
				if time.Since(began) > 10*time.Minute {
					f.states[0] = stopped
				}
			}
		}
		if err := m.stop(t.Context(), "host"); err != nil || time.Since(began) < 10*time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestStopHearsItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m := running(t, runs, stopPending)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := m.stop(ctx, "host")
		if err == nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not stop in time, it is stopping") {
			t.Error(err)
		}
	})
}

// A second STOP is refused by Windows, and kills the process under Wine.
func TestStopIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := running(t, runs, stopPending, stopPending, stopped)
		if err := m.stop(t.Context(), "host"); err != nil || !slices.Equal(f.controls, []uint32{windows.SERVICE_CONTROL_STOP}) {
			t.Errorf("%v, controls %v", err, f.controls)
		}
		f, m = running(t, stopPending, stopPending, stopped)
		if err := m.stop(t.Context(), "host"); err != nil || len(f.controls) != 0 {
			t.Errorf("%v, controls %v", err, f.controls)
		}
		f, m = running(t, stopped)
		if err := m.stop(t.Context(), "host"); err != nil || len(f.controls) != 0 {
			t.Errorf("%v, controls %v", err, f.controls)
		}
	})
}

func TestStopNamesWhatDependsOnTheService(t *testing.T) {
	f, m := running(t, runs)
	f.errs["control"] = windows.ERROR_DEPENDENT_SERVICES_RUNNING
	if err := m.stop(t.Context(), "host"); err == nil || !strings.Contains(err.Error(), "Web, Mail") {
		t.Error(err)
	}
}

func TestUninstallStopsDeletesAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := running(t, runs, stopped)
		if err := m.uninstall(t.Context(), "host"); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(f.controls, []uint32{windows.SERVICE_CONTROL_STOP}) || !slices.Contains(f.calls, "remove") {
			t.Errorf("controls %v, calls %v", f.controls, f.calls)
		}
	})
}

func TestUninstallSaysWhoHoldsTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, m := running(t, stopped)
		f.errs["remove"] = windows.ERROR_SERVICE_MARKED_FOR_DELETE
		err := m.uninstall(t.Context(), "host")
		if err == nil || !strings.Contains(err.Error(), "marked for deletion (error 1072)") || !strings.Contains(err.Error(), "services.msc") {
			t.Error(err)
		}
	})
}

func TestServicesThatAreNotInstalled(t *testing.T) {
	m := &manager{api: newFakeSCM(t)}
	_, status := m.status(t.Context(), "host")
	for verb, err := range map[string]error{
		"start": m.start(t.Context(), "host"), "stop": m.stop(t.Context(), "host"),
		"uninstall": m.uninstall(t.Context(), "host"), "status": status,
	} {
		if e, ok := errors.AsType[*NotInstalled](err); !ok || e.Name != "host" {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

func TestStatusAsksWithTheRightsOfEverybody(t *testing.T) {
	s := runs
	s.ProcessId = 4711
	f, m := running(t, s)
	got, err := m.status(t.Context(), "host")
	want := Status{Name: "host", State: Running, PID: 4711, Start: StartAuto, Account: "LocalSystem", Command: sampleCommand}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if f.access["manager"] != windows.SC_MANAGER_CONNECT || f.access["service"] != windows.SERVICE_QUERY_CONFIG {
		t.Errorf("rights %v", f.access)
	}
	f, m = running(t, runs)
	f.errs["query"] = windows.ERROR_ACCESS_DENIED
	if got, err = m.status(t.Context(), "host"); err != nil || got.State != Running || got.Command != "" {
		t.Errorf("without the right to read the configuration: %+v, %v", got, err)
	}
}

// The SCM sees a moment later that a process was killed; that of Wine does not before the next start.
func TestAKilledProcessIsSeenBeforeTheSCMDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, alive := runs, runs
		dead.ProcessId, alive.ProcessId = 4711, 4712
		f, m := running(t, dead)
		f.lost = map[uint32]bool{4711: true}
		if got, err := m.status(t.Context(), "host"); err != nil || got.State != Failed || got.PID != 0 || got.ExitCode != 1067 {
			t.Errorf("status %+v, %v", got, err)
		}
		if err := m.stop(t.Context(), "host"); err != nil {
			t.Errorf("stop: %v", err)
		}
		f.states = []windows.SERVICE_STATUS_PROCESS{dead, alive}
		if err := m.start(t.Context(), "host"); err != nil || !slices.Contains(f.calls, "start") {
			t.Errorf("start: %v, calls %v", err, f.calls)
		}
		// Until it has seen it, it says that the service runs.
		f.states, f.calls = []windows.SERVICE_STATUS_PROCESS{dead, dead, stopped, alive}, nil
		f.onStatus = func() {
			if len(f.states) > 2 {
				f.errs["start"] = windows.ERROR_SERVICE_ALREADY_RUNNING
				return
			}
			delete(f.errs, "start")
		}
		if err := m.start(t.Context(), "host"); err != nil {
			t.Errorf("start: %v, calls %v", err, f.calls)
		}
	})
}

func TestStatusTellsStoppedFromFailed(t *testing.T) {
	never, crashed, pending := stopped, stopped, stopPending
	never.Win32ExitCode = uint32(windows.ERROR_SERVICE_NEVER_STARTED)
	crashed.Win32ExitCode = uint32(windows.ERROR_PROCESS_ABORTED)
	pending.CheckPoint, pending.WaitHint = 4, 3000
	for name, c := range map[string]struct {
		s      windows.SERVICE_STATUS_PROCESS
		state  State
		code   int
		detail string
	}{
		"stopped":  {stopped, Stopped, 0, ""},
		"never":    {never, Stopped, 0, ""},
		"failed":   {failedWith(2), Failed, 2, "it ended with exit code 2; its log and the Event Log say why"},
		"crashed":  {crashed, Failed, 1067, "its process was killed or crashed (error 1067)"},
		"stopping": {pending, Stopping, 0, "checkpoint 4, the next within 3s"},
	} {
		_, m := running(t, c.s)
		got, err := m.status(t.Context(), "host")
		if err != nil || got.State != c.state || got.ExitCode != c.code || got.Detail != c.detail {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestErrorsOfTheSCMAreExplained(t *testing.T) {
	for no, want := range map[windows.Errno]string{
		windows.ERROR_ACCESS_DENIED:           "run it as administrator",
		windows.ERROR_SERVICE_LOGON_FAILED:    "error 1069",
		windows.ERROR_SERVICE_REQUEST_TIMEOUT: "error 1053",
		windows.ERROR_SERVICE_DISABLED:        "host install --start auto",
		1297:                                  "lacks a privilege",
		windows.ERROR_OUT_OF_PAPER:            "(error 28)",
	} {
		f, m := running(t, stopped)
		f.errs["start"] = no
		err := m.start(t.Context(), "host")
		if err == nil || !strings.HasPrefix(err.Error(), `cannot start service "host": `) || !strings.Contains(err.Error(), want) || !errors.Is(err, no) {
			t.Errorf("%d: %v", no, err)
		}
	}
}
