package osservice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// session is a handler that runs as under the SCM.
type session struct {
	t        *testing.T
	handler  *handler
	service  *Service
	requests chan svc.ChangeRequest
	ended    chan struct{}

	mu       sync.Mutex
	statuses []svc.Status
	specific bool
	code     uint32
}

func newSession(t *testing.T, body func(ctx context.Context, s *Service) error) *session {
	s := &session{t: t, service: newService(), requests: make(chan svc.ChangeRequest), ended: make(chan struct{})}
	s.handler = &handler{ctx: t.Context(), body: body, service: s.service, resize: func(time.Duration) error { return nil }}
	return s
}

// run begins the session. Nobody reads less eagerly than x/sys.
func (s *session) run() *session {
	changes := make(chan svc.Status)
	go func() {
		for c := range changes {
			s.mu.Lock()
			s.statuses = append(s.statuses, c)
			s.mu.Unlock()
		}
	}()
	go func() {
		specific, code := s.handler.Execute([]string{"host", "arg"}, s.requests, changes)
		close(changes)
		s.mu.Lock()
		s.specific, s.code = specific, code
		s.mu.Unlock()
		close(s.ended)
	}()
	synctest.Wait()
	return s
}

func (s *session) send(c svc.Cmd, event ...uint32) {
	s.t.Helper()
	r := svc.ChangeRequest{Cmd: c}
	if len(event) > 0 {
		r.EventType = event[0]
	}
	select {
	case s.requests <- r:
	case <-time.After(time.Millisecond):
		s.t.Fatalf("control %d was not taken at once", c)
	}
	synctest.Wait()
}

func (s *session) last() svc.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statuses[len(s.statuses)-1]
}

func (s *session) result() (bool, uint32) {
	<-s.ended
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.specific, s.code
}

func untilStop(ctx context.Context, _ *Service) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestHandlerReportsRunningAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, untilStop).run()
		if len(s.statuses) != 2 || s.statuses[0].State != svc.StartPending || s.statuses[1].State != svc.Running {
			t.Fatalf("statuses %+v", s.statuses)
		}
		// STOP 1, PRESHUTDOWN 0x100 and so not SHUTDOWN 4; PARAMCHANGE 8, POWEREVENT 0x40, SESSIONCHANGE 0x80.
		if got := s.last().Accepts; got != 0x101 {
			t.Errorf("accepts %#x at first", got)
		}
		s.service.Ready()
		synctest.Wait()
		if got := s.last(); got.State != svc.Running || got.Accepts != 0x1c9 {
			t.Errorf("when ready: %+v", got)
		}
		s.send(svc.Stop)
		if specific, code := s.result(); specific || code != 0 || s.handler.err != nil {
			t.Errorf("ended with %v, %d, %v", specific, code, s.handler.err)
		}
	})
}

func TestHandlerStopsForStopAndShutdown(t *testing.T) {
	for _, c := range []svc.Cmd{svc.Stop, svc.PreShutdown, svc.Shutdown} {
		synctest.Test(t, func(t *testing.T) {
			s := newSession(t, func(ctx context.Context, _ *Service) error {
				<-ctx.Done()
				time.Sleep(500 * time.Millisecond)
				return nil
			}).run()
			s.send(c)
			if got := s.last(); got.State != svc.StopPending || got.Accepts != 0 || got.CheckPoint != 1 || got.WaitHint != 3000 {
				t.Errorf("control %d: %+v", c, got)
			}
			s.result()
		})
	}
}

func TestHandlerGivesControlsToTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, untilStop).run()
		for _, c := range []svc.Cmd{svc.ParamChange, 128, 129, 200, 255, svc.ParamChange, svc.Pause, svc.DeviceEvent} {
			s.send(c) // nobody listens yet, and nothing blocks
		}
		s.send(svc.SessionChange, windows.WTS_SESSION_LOGON)
		s.send(svc.SessionChange, windows.WTS_SESSION_LOCK)
		s.send(svc.PowerEvent, 0x4) // going to sleep
		s.send(svc.PowerEvent, 0x12)
		s.send(svc.PowerEvent, 0x7)
		var got []string
		for {
			select {
			case c := <-s.service.Controls():
				got = append(got, c)
				continue
			case <-time.After(time.Second):
			}
			break
		}
		if want := []string{"reload", "rotate", "dump", "session", "resume"}; !slices.Equal(got, want) {
			t.Errorf("the host heard %v", got)
		}
		if s.last().State != svc.Running {
			t.Errorf("the service is %+v", s.last())
		}
		s.send(128)
		if c := <-s.service.Controls(); c != "rotate" {
			t.Errorf("once more it heard %q", c)
		}
		s.send(svc.Interrogate)
		if got := s.last(); len(s.statuses) != 3 || got.State != svc.Running || got.Accepts != acceptedFirst {
			t.Errorf("interrogated: %+v", s.statuses)
		}
		s.send(svc.Stop)
		s.result()
	})
}

// Checkpoints rise within the budget, then only with progress: a stop that hangs must look so.
func TestHandlerCheckpointsRiseWhileThereIsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := newSession(t, func(ctx context.Context, s *Service) error {
			<-ctx.Done()
			s.Stopping(5 * time.Second)
			<-release
			return nil
		}).run()
		s.send(svc.Stop)
		time.Sleep(5*time.Second + tick/2)
		synctest.Wait()
		if got := s.last().CheckPoint; got != 6 {
			t.Errorf("after the budget the checkpoint is %d", got)
		}
		for i, want := range []uint32{7, 8} {
			s.service.Progress(9 - i)
			time.Sleep(3 * tick)
			synctest.Wait()
			if got := s.last().CheckPoint; got != want {
				t.Errorf("after progress the checkpoint is %d, want %d", got, want)
			}
		}
		s.send(svc.Interrogate)
		if got := s.last(); got.State != svc.StopPending || got.CheckPoint != 8 {
			t.Errorf("interrogated: %+v", got)
		}
		close(release)
		s.result()
	})
}

// A host that ends by itself shows it, too.
func TestHandlerShowsAStopThatNobodyAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, func(_ context.Context, s *Service) error {
			s.Stopping(time.Minute)
			time.Sleep(3 * time.Second)
			return errors.New("broken")
		}).run()
		if got := s.last(); got.State != svc.StopPending {
			t.Errorf("%+v", got)
		}
		if specific, code := s.result(); !specific || code != 1 {
			t.Errorf("ended with %v, %d", specific, code)
		}
	})
}

type coded struct{ error }

func (coded) ExitCode() int { return 2 }

func TestHandlerEndsWithWhatTheBodySays(t *testing.T) {
	for name, c := range map[string]struct {
		body     func(ctx context.Context, s *Service) error
		stop     bool
		specific bool
		code     uint32
		err      string
	}{
		"no error":      {body: func(context.Context, *Service) error { return nil }},
		"error":         {body: func(context.Context, *Service) error { return errors.New("broken") }, specific: true, code: 1, err: "broken"},
		"error's code":  {body: func(context.Context, *Service) error { return coded{errors.New("invalid")} }, specific: true, code: 2, err: "invalid"},
		"panic":         {body: func(context.Context, *Service) error { panic("oh") }, specific: true, code: 1, err: "panic: oh"},
		"asked to stop": {body: untilStop, stop: true},
		// The SCM would start again what an operator has just stopped.
		"error in a stop": {body: func(ctx context.Context, _ *Service) error { <-ctx.Done(); return errors.New("late") }, stop: true, err: "late"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSession(t, c.body).run()
				if c.stop {
					s.send(svc.Stop)
				}
				specific, code := s.result()
				if specific != c.specific || code != c.code {
					t.Errorf("ended with %v, %d", specific, code)
				}
				if err := s.handler.err; (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// What ends the context of main, a signal of the console, does not end a service.
func TestHandlerOutlivesTheContextOfMain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, untilStop)
		ctx, cancel := context.WithCancel(t.Context())
		s.handler.ctx = ctx
		s.run()
		cancel()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := s.last(); got.State != svc.Running {
			t.Errorf("%+v", got)
		}
		s.send(svc.Stop)
		s.result()
	})
}

func TestBudgetIsToldToTheSCM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t, untilStop)
		var got []time.Duration
		s.handler.resize = func(d time.Duration) error {
			got = append(got, d)
			return windows.ERROR_ACCESS_DENIED
		}
		var warnings []string
		s.run()
		for _, d := range []time.Duration{20 * time.Second, 20 * time.Second, 30 * time.Second} {
			s.service.Budget(d)
			synctest.Wait()
		}
		s.service.OnWarning(func(m string) { warnings = append(warnings, m) })
		s.service.Budget(40 * time.Second)
		synctest.Wait()
		if want := []time.Duration{20 * time.Second, 30 * time.Second, 40 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("the SCM was told %v", got)
		}
		if len(warnings) != 1 || !strings.Contains(warnings[0], "access is denied") {
			t.Errorf("warnings %q", warnings)
		}
		s.send(svc.Stop)
		s.result()
	})
}

func TestResizeAsksForNothingButTheTimeout(t *testing.T) {
	f := newFakeSCM(t).installed("host", asSample())
	if err := resize(f, "host", 90*time.Second); err != nil {
		t.Fatal(err)
	}
	if p := part2[preshutdownInfo](f, 7); p.timeoutMs != 90000 {
		t.Errorf("preshutdown %d ms", p.timeoutMs)
	}
	if f.access["manager"] != windows.SC_MANAGER_CONNECT || f.access["service"] != windows.SERVICE_CHANGE_CONFIG {
		t.Errorf("rights %v", f.access)
	}
}
