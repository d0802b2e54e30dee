package supervisor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/state/statetest"
	"servicehost/spec"
)

func TestCrashLoopBacksOffThenFailsThenIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: 100 * time.Millisecond, Code: 3}
		}
		r := newRig(t, fake, nil)
		r.apply(service("bad", func(s *spec.Service) { s.Restart.MaxDelay = 10 * time.Second }))
		settle(2 * time.Second)
		p := r.want("bad", Backoff)
		if !strings.Contains(p.Reason, "exit 3 after 100ms, next try in") {
			t.Errorf("reason %q does not say what happened and when it goes on", p.Reason)
		}
		settle(5 * time.Minute)
		p = r.want("bad", Failed)
		if p.NextTry.IsZero() || !strings.Contains(p.Reason, "crash loop") {
			t.Errorf("failed with reason %q and next try %v", p.Reason, p.NextTry)
		}
		if n := len(fake.Starts()); n != 11 {
			t.Errorf("%d starts, want 1 and 10 restarts", n)
		}
		settle(10 * time.Minute)
		if n := len(fake.Starts()); n != 12 {
			t.Errorf("%d starts after retry_after, want 12", n)
		}
	})
}

func TestStopEndsWhatIgnoresItByForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{IgnoreStop: true}
		}
		r := newRig(t, fake, nil)
		r.apply(service("deaf"))
		r.want("deaf", Running)
		begin := time.Now()
		out := r.do(Act{Verb: Stop, Names: []string{"deaf"}})
		if d := time.Since(begin); d < 30*time.Second || d > 31*time.Second {
			t.Errorf("the stop took %v, want stop.timeout", d)
		}
		if len(out) != 1 || !out[0].OK {
			t.Errorf("outcome %+v", out)
		}
		p := r.want("deaf", Stopped)
		if p.DownBy != "operator" || p.Reason != "stopped by tester" {
			t.Errorf("down by %q: %q", p.DownBy, p.Reason)
		}
		if got := r.states("deaf"); !slices.Equal(got, []string{"starting", "running", "stopping", "killing", "stopped"}) {
			t.Errorf("went through %v", got)
		}
	})
}

func TestDependentsWaitAndStopFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			if id.Service == "migrate" {
				return processtest.Behavior{ExitAfter: 20 * time.Second}
			}
			return processtest.Behavior{StopAfter: 2 * time.Second}
		}
		r := newRig(t, fake, nil)
		r.apply(service("db"), service("migrate", oneshot, needs(spec.ConditionStarted, "db")), service("api", needs(spec.ConditionCompleted, "migrate")))
		r.want("api", Waiting)
		settle(21 * time.Second)
		r.want("api", Running)
		p := r.want("migrate", Exited)
		if p.LastExit == nil || p.LastExit.Code != 0 {
			t.Errorf("migrate's last exit is %+v", p.LastExit)
		}
		var order []string
		for _, s := range fake.Starts() {
			order = append(order, s.Service)
		}
		if !slices.Equal(order, []string{"db", "migrate", "api"}) {
			t.Errorf("started in the order %v", order)
		}
		begin := time.Now()
		r.sup.Shutdown(context.Background(), time.Minute)
		if d := time.Since(begin); d != 4*time.Second {
			t.Errorf("the shutdown took %v, want 2s for api and then 2s for db", d)
		}
	})
}

func TestFailedDependencyIsTheReasonOfItsWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		code := 1
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			if id.Service == "migrate" {
				return processtest.Behavior{ExitAfter: time.Second, Code: code}
			}
			return processtest.Behavior{}
		}
		r := newRig(t, fake, nil)
		r.apply(service("migrate", oneshot), service("api", needs(spec.ConditionCompleted, "migrate")))
		settle(2 * time.Second)
		r.want("migrate", Failed)
		p := r.want("api", Failed)
		if !strings.Contains(p.Reason, `dependency "migrate" failed: exit 1`) {
			t.Errorf("reason %q", p.Reason)
		}
		code = 0
		r.do(Act{Verb: Start, Names: []string{"migrate"}})
		settle(2 * time.Second)
		r.want("migrate", Exited)
		r.want("api", Running)
	})
}

func TestFailureReachesTheEndOfAChainAndSoDoesItsMending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		code := 1
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			if id.Service == "migrate" {
				return processtest.Behavior{ExitAfter: time.Second, Code: code}
			}
			return processtest.Behavior{}
		}
		r := newRig(t, fake, nil)
		r.apply(service("migrate", oneshot), service("api", needs(spec.ConditionCompleted, "migrate")), service("web", needs(spec.ConditionStarted, "api")))
		settle(2 * time.Second)
		if p := r.want("web", Failed); !strings.Contains(p.Reason, `dependency "api" failed: its dependency "migrate" failed: exit 1`) {
			t.Errorf("reason %q", p.Reason)
		}
		for _, id := range []string{"migrate", "api", "web"} {
			if n := r.count(id, journal.Failed); n != 1 {
				t.Errorf("%s: %d failed events", id, n)
			}
		}
		code = 0
		r.do(Act{Verb: Start, Names: []string{"migrate"}})
		settle(2 * time.Second)
		r.want("api", Running)
		r.want("web", Running)
	})
}

func TestTrackedTreeIsUpWhileAnythingOfItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: time.Second, Linger: time.Hour}
		}
		r := newRig(t, fake, nil)
		tree := func(s *spec.Service) { s.Track, s.Restart.Policy = spec.TrackTree, spec.RestartAlways }
		r.apply(service("launcher", tree), service("plain"))
		settle(time.Minute)
		p := r.want("launcher", Running)
		if !strings.Contains(p.Reason, "the rest of its tree runs on") {
			t.Errorf("reason %q", p.Reason)
		}
		r.want("plain", Exited)
		settle(time.Hour)
		p = r.want("launcher", Running)
		if p.Restarts != 1 || p.LastExit == nil || p.LastExit.Uptime < time.Hour {
			t.Errorf("%d restarts, last exit %+v", p.Restarts, p.LastExit)
		}
		settle(time.Minute)
		r.do(Act{Verb: Stop, Names: []string{"launcher"}})
		r.want("launcher", Stopped)
	})
}

func TestBadEditGoesBackToWhatWorked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(_ process.RunID, q process.Request) processtest.Behavior {
			if slices.Contains(q.Args, "bad") {
				return processtest.Behavior{ExitAfter: 50 * time.Millisecond, Code: 2}
			}
			return processtest.Behavior{}
		}
		r := newRig(t, fake, nil)
		good, bad, other := service("api"), service("api", arg("bad")), service("other")
		r.apply(good, other)
		settle(time.Minute)
		pid := r.snap("other").PID
		out := r.apply(bad, other)
		if len(out.Touched) != 1 || out.Touched[0].SpecState != SpecRolledBack {
			t.Fatalf("touched %+v", out.Touched)
		}
		settle(time.Minute)
		p := r.want("api", Running)
		if p.SpecState != SpecRolledBack || p.Rejected != bad.Hash || p.Spec.Hash != good.Hash {
			t.Errorf("api is %s, rejected %q", p.SpecState, p.Rejected)
		}
		if r.snap("other").PID != pid {
			t.Error("the other service was disturbed")
		}
		starts := len(fake.Starts())
		r.apply(service("api", arg("bad")), other) // the same again: remembered
		settle(time.Minute)
		if n := len(fake.Starts()); n != starts {
			t.Errorf("the rejected spec was tried again")
		}
		r.apply(service("api", arg("fine")), other)
		if p := r.want("api", Running); p.SpecState != SpecApplied {
			t.Errorf("a new spec is %s", p.SpecState)
		}
	})
}

func TestUnstartableEditDisturbsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api"))
		settle(time.Minute)
		pid := r.snap("api").PID
		r.apply(service("api", func(s *spec.Service) { s.Command = []string{"/no/such/program"} }))
		settle(time.Minute)
		p := r.want("api", Running)
		if p.PID != pid || p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, "not found") {
			t.Errorf("pid %d, was %d; %s: %s", p.PID, pid, p.SpecState, p.RejectWhy)
		}
	})
}

func TestUnstartableEditSparesWhatHasYetToProveItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		settle(time.Minute)
		second := service("api", arg("second"))
		r.apply(second)
		settle(time.Second)
		pid := r.snap("api").PID
		r.apply(service("api", func(s *spec.Service) { s.Command = []string{"/no/such/program"} }))
		settle(time.Minute)
		p := r.want("api", Running)
		if p.PID != pid || p.Spec.Hash != second.Hash || p.SpecState != SpecRolledBack {
			t.Errorf("pid %d, was %d; %s", p.PID, pid, p.SpecState)
		}
		r.apply(second)
		if p := r.want("api", Running); p.PID != pid || p.SpecState != SpecApplied {
			t.Errorf("pid %d, was %d; %s", p.PID, pid, p.SpecState)
		}
	})
}

func TestLiveChangeKeepsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api"))
		settle(time.Minute)
		pid := r.snap("api").PID
		changed := service("api", func(s *spec.Service) { s.Restart.Delay = 7 * time.Second })
		r.apply(changed)
		p := r.want("api", Running)
		if p.PID != pid || p.Spec.Hash != changed.Hash || p.SpecState != SpecApplied {
			t.Errorf("pid %d, was %d, state %s", p.PID, pid, p.SpecState)
		}
		fake.Exit(p.Run, 1, "")
		settle(time.Second)
		if p := r.want("api", Backoff); p.NextTry.Sub(p.Since) < 6*time.Second {
			t.Errorf("next try after %v: the new delay is not in force", p.NextTry.Sub(p.Since))
		}
	})
}

func TestStopOfAnOperatorOutlivesTheHostAndReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &statetest.Memory{}
		r := newRig(t, processtest.New(), store)
		r.apply(service("api"), service("db"))
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		r.apply(service("api", arg("new")), service("db"))
		settle(time.Minute)
		r.want("api", Stopped)
		r.sup.Shutdown(context.Background(), time.Minute)

		r = newRig(t, processtest.New(), store)
		r.apply(service("api", arg("new")), service("db"))
		settle(time.Minute)
		r.want("api", Stopped)
		r.want("db", Running)
		r.do(Act{Verb: Start, Names: []string{"api"}})
		r.want("api", Running)
	})
}

func TestStopUntilEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		r.do(Act{Verb: Stop, Names: []string{"api"}, Until: time.Now().Add(2 * time.Hour)})
		settle(time.Hour)
		r.want("api", Stopped)
		settle(time.Hour + time.Minute)
		r.want("api", Running)
	})
}

func TestMaxRuntimeRestartsAServiceAndEndsAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		limit := func(s *spec.Service) { s.MaxRuntime = time.Hour }
		r.apply(service("svc", limit), service("job", oneshot, limit))
		first := r.snap("svc").PID
		settle(time.Hour + 10*time.Second)
		if p := r.want("svc", Running); p.PID == first {
			t.Error("the service was not restarted at max_runtime")
		}
		if p := r.want("job", Failed); !strings.Contains(p.Reason, "max_runtime") {
			t.Errorf("reason %q", p.Reason)
		}
	})
}

func TestLateEventsOfEarlierRunsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		old := r.snap("api").Run
		r.do(Act{Verb: Restart, Names: []string{"api"}})
		p := r.want("api", Running)
		i := r.sup.instance(Key{"api", 1})
		i.box.event(process.Event{Kind: process.Exited, Run: old, Exit: process.Exit{Code: 9, At: time.Now()}})
		i.box.event(process.Event{Kind: process.Gone, Run: old, Exit: process.Exit{Code: 9, At: time.Now()}})
		settle(time.Second)
		if q := r.want("api", Running); q.PID != p.PID {
			t.Error("an exit of an earlier run ended the present one")
		}
	})
}

func TestPauseHoldsRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api"))
		r.sup.Pause(true)
		synctest.Wait()
		fake.Exit(r.snap("api").Run, 1, "")
		settle(time.Hour)
		r.want("api", Backoff)
		r.sup.Pause(false)
		settle(time.Second)
		r.want("api", Running)
	})
}

func TestGovernorSpreadsAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		var all []*spec.Service
		for n := range 50 {
			all = append(all, service("s"+string(rune('a'+n/10))+string(rune('0'+n%10)), func(s *spec.Service) { s.Restart.Delay = 0 }))
		}
		sp := makeSpec(all...)
		sp.Host.Restarts = spec.Restarts{Rate: 5, Burst: 10}
		if _, err := r.sup.Apply(context.Background(), sp, nil, false); err != nil {
			t.Fatal(err)
		}
		for _, id := range fake.Living() {
			fake.Exit(id, 1, "")
		}
		settle(100 * time.Millisecond)
		if n := len(fake.Living()); n != 10 {
			t.Errorf("%d are back at once, want the burst of 10", n)
		}
		settle(9 * time.Second)
		if n := len(fake.Living()); n != 50 {
			t.Errorf("%d are back after 9s, want all 50", n)
		}
	})
}

func TestTransitionsAreTheTable(t *testing.T) {
	for from, tos := range transitions {
		for _, to := range tos {
			if _, ok := transitions[to]; !ok || from == to {
				t.Errorf("%s → %s is no transition between two states", from, to)
			}
		}
	}
	if len(transitions) != 9 {
		t.Errorf("%d states have transitions, want 9", len(transitions))
	}
}

func TestRemovedStopBeforeAddedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{StopAfter: 3 * time.Second}
		}
		r := newRig(t, fake, nil)
		r.apply(service("old"), service("stays"))
		stays := r.snap("stays").PID
		r.apply(service("new"), service("stays"))
		if len(r.sup.Snapshots()) != 2 || r.snap("stays").PID != stays {
			t.Errorf("snapshots %v", r.sup.Snapshots())
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		var gone, began time.Time
		for _, e := range r.events {
			if e.ID == "old" && e.To == "stopped" {
				gone = e.Time
			}
			if e.ID == "new" && e.To == "starting" {
				began = e.Time
			}
		}
		if gone.IsZero() || began.Before(gone) {
			t.Errorf("new began at %v, old was gone at %v", began, gone)
		}
	})
}

func TestFailedStopActionGoesOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api", func(s *spec.Service) {
			s.Stop.Steps = []spec.Step{{Do: "action", Action: &spec.Action{Exec: []string{"/no/such/program"}, Timeout: time.Second}, Timeout: 20 * time.Second}, {Do: "SIGTERM"}}
		}))
		begin := time.Now()
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		if d := time.Since(begin); d > time.Second {
			t.Errorf("the stop took %v although its first step failed at once", d)
		}
		r.want("api", Stopped)
	})
}

// An operator's wish in the middle of an edit is no newer edit.
func TestWishDoesNotSupersedeAnEdit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{StopAfter: 5 * time.Second}
		}
		r := newRig(t, fake, nil)
		r.apply(service("api"), service("db"))
		settle(time.Minute)
		edit, err := r.sup.Begin(makeSpec(service("api", arg("new")), service("db")), nil)
		if err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		r.do(Act{Verb: Restart, Names: []string{"db"}, NoWait: true})
		out, err := edit.Wait(context.Background(), false)
		if err != nil || len(out.Touched) == 0 {
			t.Errorf("the edit ended with %v, touched %v", err, out.Touched)
		}
		r.want("api", Running)
	})
}

// An action that can't even be killed must not keep the host from ending.
func TestUnkillableActionDoesNotHoldUpTheShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			return processtest.Behavior{IgnoreKill: id.Task != ""}
		}
		r := newRig(t, fake, nil)
		r.apply(service("api", func(s *spec.Service) {
			s.Stop.Steps = []spec.Step{{Do: "action", Action: &spec.Action{Exec: []string{trueProgram}, Timeout: time.Second}, Timeout: 2 * time.Second}, {Do: "SIGTERM"}}
		}))
		begin := time.Now()
		r.sup.Shutdown(context.Background(), time.Minute)
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("the shutdown took %v", d)
		}
	})
}

// A pause holds back what would happen by itself, not what an operator asks for.
func TestOperatorStartsWhatAPauseHoldsBack(t *testing.T) {
	for _, between := range []string{"", "stop", "wait"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, processtest.New(), nil)
			r.apply(service("api"))
			settle(time.Minute)
			r.fake.Exit(r.snap("api").Run, 1, "")
			synctest.Wait()
			r.want("api", Backoff)
			switch between {
			case "wait":
				r.sup.Pause(true)
				settle(time.Minute)
			case "stop":
				r.do(Act{Verb: Stop, Names: []string{"api"}})
				r.sup.Pause(true)
			default:
				r.sup.Pause(true)
			}
			settle(time.Second)
			r.do(Act{Verb: Start, Names: []string{"api"}})
			if p := r.want("api", Running); p.Restarts != 0 {
				t.Errorf("%q: %d restarts, although an operator started it", between, p.Restarts)
			}
		})
	}
}

// What waits for its turn among restarts is started at once by an operator.
func TestOperatorStartsWhatWaitsForItsTurn(t *testing.T) {
	for _, paused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, processtest.New(), nil)
			sp := makeSpec(service("api"), service("web"))
			sp.Host.Restarts = spec.Restarts{Rate: 1.0 / 600, Burst: 1}
			if _, err := r.sup.Apply(context.Background(), sp, nil, false); err != nil {
				t.Fatal(err)
			}
			settle(time.Minute)
			r.fake.Exit(r.snap("api").Run, 1, "")
			r.fake.Exit(r.snap("web").Run, 1, "")
			settle(10 * time.Second)
			waits := "api"
			if r.snap("api").State == Running {
				waits = "web"
			}
			r.want(waits, Waiting)
			r.sup.Pause(paused)
			r.do(Act{Verb: Start, Names: []string{waits}})
			settle(time.Second)
			r.want(waits, Running)
		})
	}
}

// Each run of a job is another one, and no restart: a job may be in force after a rollback of its type.
func TestRunsOfAJobRestartNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, jobs(10*time.Second, 0), nil)
		r.fake.Behave = func(_ process.RunID, q process.Request) processtest.Behavior {
			if slices.Contains(q.Args, "job") {
				return processtest.Behavior{ExitAfter: 10 * time.Second}
			}
			return processtest.Behavior{}
		}
		follow := func(s *spec.Service) {
			needs(spec.ConditionStarted, "tick")(s)
			d := s.DependsOn["tick"]
			d.Restart = true
			s.DependsOn["tick"] = d
		}
		r.begin(job("tick", arg("job")), service("api", follow))
		settle(70 * time.Second)
		first := r.want("api", Running).Run
		settle(time.Hour)
		if now := r.want("api", Running).Run; now != first {
			t.Errorf("it runs as %v, before as %v", now, first)
		}
	})
}

// What is removed stops behind those that need it, and those are not kept from stopping by a removal.
func TestOneEditRemovesAnInstanceAndDisablesWhoNeedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		web := func(change ...func(*spec.Service)) *spec.Service {
			return service("web", append(change, needs(spec.ConditionStarted, "api"))...)
		}
		r.apply(append(instances(2, "api"), web())...)
		settle(time.Minute)
		begin := time.Now()
		r.apply(append(instances(1, "api"), web(arg("new"), func(s *spec.Service) { s.Enabled = false }))...)
		if d := time.Since(begin); d > time.Minute {
			t.Errorf("the edit took %v", d)
		}
		if n := len(r.sup.Snapshots()); n != 2 {
			t.Errorf("%d instances", n)
		}
		if p := r.want("web", Stopped); p.DownBy != "spec" || len(r.fake.Starts()) != 3 {
			t.Errorf("down by %s, %d starts", p.DownBy, len(r.fake.Starts()))
		}
	})
}
