package supervisor

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

// desk is whether somebody is signed in.
type desk struct{ here atomic.Bool }

var errNobody = &process.Error{Kind: process.ErrNoSession, Message: "nobody is signed in"}

func (d *desk) signedIn() error {
	if d.here.Load() {
		return nil
	}
	return errNobody
}

func onTheDesk(s *spec.Service) { s.Session = spec.SessionUser }

// at makes a rig whose services can be told who is there.
func (d *desk) rig(t *testing.T, fake *processtest.Fake) *rig {
	r := newRig(t, fake, nil)
	r.sup.env.signedIn = d.signedIn
	return r
}

func TestServiceWaitsForSomebodyToSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d desk
		r := d.rig(t, processtest.New())
		r.apply(service("tray", onTheDesk), service("plain"))
		r.want("plain", Running)
		if p := r.want("tray", Waiting); p.Reason != "nobody is signed in" {
			t.Errorf("reason %q", p.Reason)
		}
		settle(10 * time.Minute)
		if n := r.count("tray", journal.StateChanged); n != 1 {
			t.Errorf("%d changes of state while it waited: %v", n, r.states("tray"))
		}
		d.here.Store(true)
		r.sup.SessionChanged()
		synctest.Wait()
		r.want("tray", Running)
	})
}

// While the machine sleeps the clock goes on, and timers may not: here those of a backoff and of a wish.
func TestWhatCameDueInSleepIsDoneOnResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"), service("loop", func(s *spec.Service) { s.Restart.Delay, s.Restart.MaxDelay = time.Hour, time.Hour }))
		first := r.want("loop", Running)
		r.fake.Exit(first.Run, 1, "")
		synctest.Wait()
		r.want("loop", Backoff)
		r.do(Act{Verb: Stop, Names: []string{"api"}, Until: time.Now().Add(2 * time.Hour)})
		if err := r.sup.do(func() { r.sup.timer.Stop() }); err != nil {
			t.Fatal(err)
		}
		r.sup.index[Key{"loop", 1}].timer.Stop()
		settle(3 * time.Hour)
		r.want("loop", Backoff)
		r.want("api", Stopped)
		r.sup.Resumed()
		synctest.Wait()
		r.want("loop", Running)
		r.want("api", Running)
	})
}

func TestServiceLooksForAUserByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d desk
		r := d.rig(t, processtest.New())
		r.apply(service("tray", onTheDesk))
		d.here.Store(true) // and nobody tells
		settle(sessionRetry)
		r.want("tray", Running)
	})
}

func TestEndBySignOutIsNoCrash(t *testing.T) {
	for name, code := range map[string]int{"as a crash": 0x40010004, "as a success": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d desk
				d.here.Store(true)
				fake := processtest.New()
				r := d.rig(t, fake)
				one := service("tray", onTheDesk, func(s *spec.Service) { s.Restart.Limit = 2 })
				r.apply(one)
				for range 5 { // more often than the limit
					r.want("tray", Running)
					settle(time.Minute)
					fake.Exit(fake.Living()["tray.1"], code, "") // the programs end first,
					settle(100 * time.Millisecond)
					d.here.Store(false) // then the session
					r.sup.SessionChanged()
					synctest.Wait()
					if p := r.want("tray", Waiting); p.Restarts != 0 || p.Reason != "nobody is signed in" {
						t.Errorf("%d restarts, reason %q", p.Restarts, p.Reason)
					}
					settle(time.Hour / 20)
					d.here.Store(true)
					r.sup.SessionChanged()
					synctest.Wait()
				}
			})
		})
	}
}

func TestCrashOnTheDesktopCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d desk
		d.here.Store(true)
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: 100 * time.Millisecond, Code: 3}
		}
		r := d.rig(t, fake)
		r.apply(service("tray", onTheDesk, func(s *spec.Service) { s.Restart.Limit = 3 }))
		settle(5 * time.Minute)
		if p := r.want("tray", Failed); p.Restarts != 3 {
			t.Errorf("%d restarts", p.Restarts)
		}
		// A sign-out long after is no excuse for it.
		d.here.Store(false)
		r.sup.SessionChanged()
		synctest.Wait()
		r.want("tray", Failed)
	})
}

// Between the look and the start the user may have gone, or the backend is asked alone.
func TestBackendThatFindsNobodyIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d desk
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			if d.here.Load() {
				return processtest.Behavior{}
			}
			return processtest.Behavior{StartError: errNobody}
		}
		r := newRig(t, fake, nil)
		r.apply(service("tray", onTheDesk, func(s *spec.Service) { s.Restart.Limit = 1 }))
		settle(10 * time.Minute)
		if p := r.want("tray", Backoff); p.Reason != "nobody is signed in" || p.Restarts != 0 {
			t.Errorf("%d restarts, reason %q", p.Restarts, p.Reason)
		}
		if n := r.count("tray", journal.StartFailed); n != 0 {
			t.Errorf("%d failed starts were told", n)
		}
		if n := len(r.states("tray")); n > 2*(1+int(10*time.Minute/sessionRetry)) {
			t.Errorf("%d changes of state in ten minutes", n)
		}
		d.here.Store(true)
		settle(sessionRetry)
		r.want("tray", Running)
	})
}

func TestStopOfAWaitingServiceStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d desk
		r := d.rig(t, processtest.New())
		r.apply(service("tray", onTheDesk))
		r.do(Act{Verb: Stop, Names: []string{"tray"}})
		r.want("tray", Stopped)
		d.here.Store(true)
		r.sup.SessionChanged()
		settle(time.Minute)
		r.want("tray", Stopped)
	})
}

func TestRequestSaysWhoItRunsAs(t *testing.T) {
	env := &environment{hostEnv: []string{"PATH=/bin", "HOME=/root"}, exe: "/host"}
	env.place.Store(&place{name: "test", dir: tempDir})
	s := service("db", func(s *spec.Service) {
		s.User, s.Password = `DOM\svc`, &spec.Secret{DPAPI: "/secrets/db"}
		s.RestrictedToken, s.Integrity = true, "low"
		v := "b"
		s.Env = map[string]*string{"A": &v, "GONE": nil}
	})
	req, _, err := request(env, s)
	if err != nil {
		t.Fatal(err)
	}
	if req.User != `DOM\svc` || req.Password == nil || req.Password.From != "dpapi" {
		t.Errorf("user %q, password %+v", req.User, req.Password)
	}
	if !req.RestrictedToken || req.Integrity != "low" || req.UserSession {
		t.Errorf("request %+v", req)
	}
	for from, secret := range map[string]*spec.Secret{
		"file": {File: "/f"}, "env": {Env: "PW"}, "exec": {Exec: []string{"vault"}}, "dpapi": {DPAPI: "/d"}, "credential": {Credential: "db"},
	} {
		if got := passwordOf(secret); got.From != from || got.Name == "" && len(got.Exec) == 0 {
			t.Errorf("%+v becomes %+v", secret, got)
		}
	}
}

func TestOutputOfAProgramIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			if id.Task == "" {
				return processtest.Behavior{}
			}
			return processtest.Behavior{ExitAfter: time.Second, Code: 4}
		}
		r := newRig(t, fake, nil)
		r.apply()
		if _, err := r.sup.Output(t.Context(), []string{trueProgram}, 100); err == nil || err.Error() != "exit 4" {
			t.Errorf("a program that fails: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := r.sup.Output(ctx, []string{trueProgram}, 100); err != context.DeadlineExceeded {
			t.Errorf("a program that takes too long: %v", err)
		}
		if _, err := r.sup.Output(t.Context(), []string{"./none"}, 100); err == nil || !strings.Contains(err.Error(), "not found") {
			t.Errorf("a program that is not there: %v", err)
		}
	})
}
