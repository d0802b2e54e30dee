package supervisor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

func startFirst(s *spec.Service) {
	s.Update.Order, s.Update.Timeout = spec.StartFirst, time.Minute
	s.Port = spec.PortAuto
}

// beside is a rig whose instances may have two runs; they take 2 s to be ready and 3 s to stop.
func beside(t *testing.T) *rig {
	fake := processtest.New()
	fake.Beside = true
	fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
		return processtest.Behavior{StopAfter: 3 * time.Second}
	}
	r := newRig(t, fake, nil)
	r.probes.script = readyAfter(2 * time.Second)
	return r
}

// begin hands a spec out without waiting for it.
func (r *rig) begin(services ...*spec.Service) {
	r.t.Helper()
	e, err := r.sup.Begin(makeSpec(services...), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = e.Wait(ctx, false) // gives back what Begin took
	synctest.Wait()
}

// first has the service of these tests run for a minute.
func (r *rig) first() *Snapshot {
	r.t.Helper()
	r.apply(service("api", probed, startFirst))
	settle(time.Minute)
	return r.phase("api", "", 1)
}

// edit hands that service out with a change, without waiting for it.
func (r *rig) edit(change ...func(*spec.Service)) {
	r.t.Helper()
	r.begin(service("api", append([]func(*spec.Service){probed, startFirst}, change...)...))
}

// phase checks how far a rollout has come, and which run is current.
func (r *rig) phase(id, state string, incarnation uint64) *Snapshot {
	r.t.Helper()
	p := r.snap(id)
	got := ""
	if p.Rollout != nil {
		got = p.Rollout.State
	}
	if got != state || p.Run.Incarnation != incarnation {
		r.t.Fatalf("%s (%s: %s): rollout %q with run %d, want %q with run %d", id, p.State, p.Reason, got, p.Run.Incarnation, state, incarnation)
	}
	return p
}

func (r *rig) up(want ...uint64) {
	r.t.Helper()
	var got []uint64
	for _, id := range r.fake.Up("api", 1) {
		got = append(got, id.Incarnation)
	}
	if !slices.Equal(got, want) {
		r.t.Fatalf("up are the runs %v, want %v", got, want)
	}
}

func TestStartFirstOverlapsAndSwitchesWhenReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		first := r.first()
		r.edit(arg("new"))
		settle(time.Second)
		if p := r.phase("api", RolloutStarting, 1); p.PID != first.PID || p.Rollout.PID == 0 || p.Rollout.PID == p.PID || p.Health != HealthHealthy {
			t.Errorf("current %d, next %d, health %s", p.PID, p.Rollout.PID, p.Health)
		}
		r.up(1, 2)
		settle(time.Second + time.Millisecond)
		p := r.phase("api", RolloutSwitching, 2)
		if p.Rollout.PID != first.PID || p.Spec.Command[1] != "new" || p.State != Running || p.Health != HealthHealthy {
			t.Errorf("%s, %s: former %d, spec %v", p.State, p.Health, p.Rollout.PID, p.Spec.Command)
		}
		r.up(1, 2) // the former one takes its time
		settle(3 * time.Second)
		r.up(2)
		r.phase("api", RolloutMonitoring, 2)
		settle(monitor)
		if p := r.phase("api", "", 2); p.Former.Hash != p.Spec.Hash || p.SpecState != SpecApplied {
			t.Errorf("%s, goes back to %v", p.SpecState, p.Former.Command)
		}
		if got := r.states("api"); !slices.Equal(got, []string{"starting", "running"}) {
			t.Errorf("it went through %v: a switch is no interruption", got)
		}
		if n := r.count("api", journal.Rollout); n != 3 {
			t.Errorf("%d events of the rollout", n)
		}
	})
}

func TestStartFirstWithoutProbesWaitsAGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.apply(service("api", startFirst))
		settle(time.Minute)
		r.begin(service("api", startFirst, arg("new")))
		settle(nextGrace - time.Millisecond)
		r.phase("api", RolloutStarting, 1)
		settle(2 * time.Millisecond)
		r.phase("api", RolloutSwitching, 2)
	})
}

func TestStartFirstThatFailsDisturbsNobody(t *testing.T) {
	exits := func(_ process.RunID, q process.Request) processtest.Behavior {
		if slices.Contains(q.Args, "bad") {
			return processtest.Behavior{ExitAfter: time.Second, Code: 3}
		}
		return processtest.Behavior{}
	}
	noStart := func(_ process.RunID, q process.Request) processtest.Behavior {
		if slices.Contains(q.Args, "bad") {
			return processtest.Behavior{StartError: &process.Error{Kind: process.ErrResources, Message: "no luck"}}
		}
		return processtest.Behavior{}
	}
	for _, c := range []struct {
		name   string
		behave func(process.RunID, process.Request) processtest.Behavior
		change HealthChange
		why    string
	}{
		{"never ready", nil, BecameNotReady, "not ready within update.timeout, 1m: status 503"},
		{"not alive", nil, LivenessFailed, "liveness probe failed: status 503"},
		{"exits", exits, BecameNotReady, "it ended: exit 3 after 1s"},
		{"does not start", noStart, BecameNotReady, "no luck"},
	} {
		for _, action := range []spec.FailureAction{spec.FailureRollback, spec.FailurePause} {
			t.Run(c.name+" "+string(action), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := beside(t)
					set := func(s *spec.Service) { s.Update.FailureAction = action }
					r.apply(service("api", probed, startFirst, set))
					settle(time.Minute)
					before := r.snap("api")
					if c.behave != nil {
						r.fake.Behave = c.behave
					}
					r.probes.script = func(w Watched, say func(time.Duration, HealthChange, string)) {
						if slices.Contains(w.Spec.Command, "bad") {
							say(2*time.Second, c.change, "status 503")
						}
					}
					r.apply(service("api", probed, startFirst, set, arg("bad")))
					settle(time.Hour)
					p := r.want("api", Running)
					if p.PID != before.PID || p.Rollout != nil || p.Health != HealthHealthy || p.Restarts != 0 || !slices.Equal(r.states("api"), []string{"starting", "running"}) {
						t.Errorf("process %d, before %d; rollout %v, health %s, %d restarts, %v", p.PID, before.PID, p.Rollout, p.Health, p.Restarts, r.states("api"))
					}
					why, state := p.RejectWhy, SpecRolledBack
					if action == spec.FailurePause {
						why, state = p.Stalled, SpecPending
					}
					if p.SpecState != state || !strings.Contains(why, c.why) {
						t.Errorf("spec %s for %q", p.SpecState, why)
					}
					if n := len(r.fake.Starts()); n > 2 {
						t.Errorf("it was tried %d times", n-1)
					}
					// A crash starts what worked, not what failed.
					r.fake.Exit(p.Run, 1, "")
					settle(time.Minute)
					if p := r.want("api", Running); slices.Contains(p.Started.Command, "bad") {
						t.Error("a crash brought up what had failed")
					}
				})
			})
		}
	}
}

func TestStartFirstContinuesWithWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		set := func(s *spec.Service) { s.Update.FailureAction = spec.FailureContinue }
		r.apply(service("api", probed, startFirst, set))
		settle(time.Minute)
		r.apply(service("api", probed, startFirst, set, arg("bad")))
		settle(10 * time.Minute)
		p := r.phase("api", "", 2)
		if p.Started.Command[1] != "bad" || p.SpecState != SpecApplied {
			t.Errorf("runs %v, %s", p.Started.Command, p.SpecState)
		}
		r.up(2)
	})
}

// An edit that is no good comes while the one before it is still put to the proof, which that does not stand either.
func TestTwoEditsThatAreNoGoodGoBackToTheLastGoodOne(t *testing.T) {
	for _, change := range []HealthChange{BecameNotReady, LivenessFailed} {
		synctest.Test(t, func(t *testing.T) {
			r := beside(t)
			r.first()
			r.edit(arg("second"))
			settle(6 * time.Second)
			r.phase("api", RolloutMonitoring, 2)
			r.fake.Behave = func(_ process.RunID, q process.Request) processtest.Behavior {
				if slices.Contains(q.Args, "third") {
					return processtest.Behavior{StartError: &process.Error{Kind: process.ErrResources, Message: "no luck"}}
				}
				return processtest.Behavior{}
			}
			r.edit(arg("third"))
			settle(time.Second)
			if p := r.phase("api", RolloutMonitoring, 2); p.SpecState != SpecRolledBack {
				t.Fatalf("%s", p.SpecState)
			}
			r.probes.of("api").say(change, "status 500")
			settle(time.Minute)
			p := r.want("api", Running)
			if p.Rollout != nil || len(p.Started.Command) > 1 || p.SpecState != SpecRolledBack || p.Health != HealthHealthy {
				t.Errorf("runs %v, %s, %s, rollout %+v", p.Started.Command, p.SpecState, p.Health, p.Rollout)
			}
			if got := r.states("api"); !slices.Equal(got, []string{"starting", "running"}) {
				t.Errorf("it went through %v", got)
			}
		})
	}
}

// One that took over unready is shown to be ready once it is.
func TestContinuedRunBecomesHealthyLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		set := func(s *spec.Service) { s.Update.FailureAction = spec.FailureContinue }
		r.apply(service("api", startup, startFirst, set))
		settle(time.Minute)
		r.probes.script = func(_ Watched, say func(time.Duration, HealthChange, string)) { say(3*time.Minute, StartupPassed, "") }
		r.apply(service("api", startup, startFirst, set, arg("slow")))
		settle(time.Minute)
		if p := r.phase("api", "", 2); p.State != Running || p.Health != HealthUnhealthy {
			t.Errorf("%s, %s", p.State, p.Health)
		}
		settle(2 * time.Minute)
		if p := r.phase("api", "", 2); p.Health != HealthHealthy {
			t.Errorf("%s, %s", p.State, p.Health)
		}
	})
}

func TestStartFirstGoesBackWithinMonitor(t *testing.T) {
	for _, change := range []HealthChange{BecameNotReady, LivenessFailed} {
		synctest.Test(t, func(t *testing.T) {
			r := beside(t)
			r.first()
			r.apply(service("api", probed, startFirst, arg("new")))
			settle(4 * time.Second)
			r.phase("api", RolloutMonitoring, 2)
			r.probes.of("api").say(change, "status 500")
			settle(time.Second)
			r.phase("api", RolloutStarting, 2) // the good one comes up beside it
			r.up(2, 3)
			settle(2 * time.Second)
			p := r.phase("api", RolloutSwitching, 3)
			if len(p.Started.Command) > 1 || p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, "status 500") {
				t.Errorf("runs %v, %s: %s", p.Started.Command, p.SpecState, p.RejectWhy)
			}
			settle(time.Hour)
			r.phase("api", "", 3)
			r.up(3)
			if got := r.states("api"); !slices.Equal(got, []string{"starting", "running"}) {
				t.Errorf("it went through %v", got)
			}
		})
	}
}

func TestCrashWithinMonitorGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.first()
		r.apply(service("api", probed, startFirst, arg("new")))
		settle(4 * time.Second)
		r.fake.Exit(r.phase("api", RolloutMonitoring, 2).Run, 1, "")
		settle(time.Minute)
		if p := r.phase("api", "", 3); p.SpecState != SpecRolledBack || len(p.Started.Command) > 1 {
			t.Errorf("%s, runs %v", p.SpecState, p.Started.Command)
		}
	})
}

func TestNextTakesOverFromACurrentRunThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.first()
		r.edit(arg("new"))
		settle(time.Second)
		r.fake.Exit(r.phase("api", RolloutStarting, 1).Run, 1, "")
		settle(time.Millisecond)
		if p := r.want("api", Running); p.Run.Incarnation != 2 || p.Health != HealthStarting {
			t.Errorf("run %d, health %s", p.Run.Incarnation, p.Health)
		}
		settle(time.Minute)
		if p := r.phase("api", "", 2); p.SpecState != SpecApplied || p.Health != HealthHealthy || p.Restarts != 0 {
			t.Errorf("%s, %s, %d restarts", p.SpecState, p.Health, p.Restarts)
		}
		r.up(2)
	})
}

func TestStopDuringAnOverlapStopsBoth(t *testing.T) {
	for _, after := range []time.Duration{time.Second, 2500 * time.Millisecond} { // before and after the switch
		synctest.Test(t, func(t *testing.T) {
			r := beside(t)
			r.first()
			r.edit(arg("new"))
			settle(after)
			r.up(1, 2)
			out := r.do(Act{Verb: Stop, Names: []string{"api"}})
			if !out[0].OK {
				t.Errorf("%+v", out[0].Snapshot)
			}
			r.up()
			r.want("api", Stopped)
			settle(time.Hour)
			r.want("api", Stopped)
			r.do(Act{Verb: Start, Names: []string{"api"}})
			settle(time.Minute)
			if p := r.want("api", Running); p.Started.Command[1] != "new" {
				t.Errorf("runs %v", p.Started.Command)
			}
		})
	}
}

func TestNewerEditTakesThePlaceOfANextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.first()
		r.edit(arg("bad"))
		settle(3 * time.Second)
		r.phase("api", RolloutStarting, 1)
		r.edit(arg("newer"))
		r.phase("api", RolloutEnding, 1)
		settle(4 * time.Second)
		r.up(1, 3)
		settle(time.Minute)
		if p := r.phase("api", "", 3); p.Started.Command[1] != "newer" || p.SpecState != SpecApplied {
			t.Errorf("runs %v, %s", p.Started.Command, p.SpecState)
		}
		// Back to what runs: the next one is given up, the current one is not touched.
		r.edit(arg("bad"))
		settle(time.Second)
		r.up(3, 4)
		r.edit(arg("newer"))
		settle(time.Minute)
		r.up(3)
		if p := r.phase("api", "", 3); p.SpecState != SpecApplied || r.count("api", journal.RolledBack) != 0 {
			t.Errorf("%s", p.SpecState)
		}
	})
}

func TestRestartOfAStartFirstService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.first()
		out := r.do(Act{Verb: Restart, Names: []string{"api"}})
		r.phase("api", "", 2)
		r.up(2)
		if !out[0].OK || !slices.Equal(r.states("api"), []string{"starting", "running"}) {
			t.Errorf("ok %v, went through %v", out[0].OK, r.states("api"))
		}
		// One that does not come up leaves the current one alone, and the restart has failed.
		r.fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: time.Second, Code: 7}
		}
		out = r.do(Act{Verb: Restart, Names: []string{"api"}})
		if p := r.phase("api", "", 2); out[0].OK || p.SpecState != SpecApplied || !strings.Contains(p.Reason, "exit 7") {
			t.Errorf("ok %v, %s, %s", out[0].OK, p.SpecState, p.Reason)
		}
		r.up(2)
	})
}

func TestInstancesStartFirstOneAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.apply(instances(3, "api", probed, startFirst)...)
		settle(time.Minute)
		r.begin(instances(3, "api", probed, startFirst, arg("new"))...)
		most := 0
		for range 60 {
			settle(500 * time.Millisecond)
			n := 0
			for k := range 3 {
				n += len(r.fake.Up("api", k+1))
				if r.snap(fmt.Sprintf("api.%d", k+1)).Health != HealthHealthy {
					t.Fatal("an instance was not ready")
				}
			}
			most = max(most, n)
		}
		if most != 4 {
			t.Errorf("%d runs at once, want one beside the three", most)
		}
		for k := range 3 {
			if p := r.snap(fmt.Sprintf("api.%d", k+1)); p.Started.Command[1] != "new" {
				t.Errorf("%s runs %v", p.ID, p.Started.Command)
			}
		}
		// The first failure decides for all, and disturbs none.
		r.apply(instances(3, "api", probed, startFirst, arg("bad"))...)
		settle(time.Hour)
		for k := range 3 {
			if p := r.snap(fmt.Sprintf("api.%d", k+1)); p.SpecState != SpecRolledBack || p.Run.Incarnation != 2 {
				t.Errorf("%s: %s, run %d", p.ID, p.SpecState, p.Run.Incarnation)
			}
		}
	})
}

func TestFixedPortOfItsOwnIsStoppedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.fake.Beside = false
		port := func(s *spec.Service) { s.Port = 8080 }
		r.apply(service("api", probed, port))
		settle(time.Minute)
		// The run opened its port before anybody said that it is shared.
		r.apply(service("api", probed, startFirst, port, arg("new"), func(s *spec.Service) { s.Update.SharedPort = true }))
		r.fake.Beside = true
		settle(time.Minute)
		r.apply(service("api", probed, startFirst, port, arg("newer"), func(s *spec.Service) { s.Update.SharedPort = true }))
		settle(time.Minute)
		if got := r.states("api"); !slices.Equal(got, []string{"starting", "running", "stopping", "starting", "running"}) {
			t.Errorf("went through %v", got)
		}
	})
}

func TestHooksOfARunBesideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		hooks := func(s *spec.Service) {
			h := func(name string) []spec.Action {
				return []spec.Action{{Exec: []string{trueProgram, name}, Timeout: time.Minute}}
			}
			s.Hooks = spec.Hooks{PreStart: h("pre_start"), PostStart: h("post_start"), PreStop: h("pre_stop"), PostStop: h("post_stop")}
		}
		r.fake.Behave = func(id process.RunID, q process.Request) processtest.Behavior {
			if id.Task == "" {
				return processtest.Behavior{StopAfter: 3 * time.Second}
			}
			b := processtest.Behavior{ExitAfter: time.Second}
			if slices.Contains(q.Args, "pre_start") && slices.Contains(q.Env, "VETO=1") {
				b.Code = 1
			}
			return b
		}
		r.apply(service("api", probed, startFirst, hooks))
		settle(time.Minute)
		r.apply(service("api", probed, startFirst, hooks, arg("new")))
		settle(time.Minute)
		var ran []string
		for _, id := range r.fake.Starts() {
			if id.Task != "" {
				name, _, _ := strings.Cut(id.Task, ".")
				ran = append(ran, fmt.Sprintf("%d %s", id.Incarnation, name))
			}
		}
		if want := []string{"0 pre_start", "1 post_start", "1 pre_start", "2 post_start", "1 pre_stop", "1 post_stop"}; !slices.Equal(ran, want) {
			t.Errorf("ran %q, want %q", ran, want)
		}
		// A veto leaves the current one alone.
		one := "1"
		r.apply(service("api", probed, startFirst, hooks, func(s *spec.Service) { s.Env = map[string]*string{"VETO": &one} }))
		settle(time.Minute)
		if p := r.phase("api", "", 2); p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, "pre_start") {
			t.Errorf("%s: %s", p.SpecState, p.RejectWhy)
		}
	})
}

func TestOrderIsThatOfTheSpecWhereBothFit(t *testing.T) {
	port := func(p int, shared bool) func(*spec.Service) {
		return func(s *spec.Service) { s.Port, s.Update.SharedPort = p, shared }
	}
	first := startFirst
	for _, c := range []struct {
		name     string
		from, to []func(*spec.Service)
		want     spec.UpdateOrder
	}{
		{"as it was", nil, nil, spec.StopFirst},
		{"auto", []func(*spec.Service){first}, []func(*spec.Service){first}, spec.StartFirst},
		{"from now on", nil, []func(*spec.Service){first}, spec.StartFirst},
		{"no longer", []func(*spec.Service){first}, nil, spec.StopFirst},
		{"no port", nil, []func(*spec.Service){first, port(0, false)}, spec.StartFirst},
		{"another port", []func(*spec.Service){port(80, false)}, []func(*spec.Service){first, port(81, true)}, spec.StartFirst},
		{"shared from now on", []func(*spec.Service){port(80, false)}, []func(*spec.Service){first, port(80, true)}, spec.StopFirst},
		{"shared", []func(*spec.Service){port(80, true)}, []func(*spec.Service){first, port(80, true)}, spec.StartFirst},
		{"on a desktop", nil, []func(*spec.Service){first, func(s *spec.Service) { s.Session = spec.SessionUser }}, spec.StopFirst},
		{"a job", nil, []func(*spec.Service){first, oneshot}, spec.StopFirst},
	} {
		if got := OrderOf(service("api", c.from...), service("api", c.to...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A rollout that stopped with failure_action pause holds up no edit of those that depend on it.
func TestPausedRolloutHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		pause := func(s *spec.Service) { s.Update.FailureAction = spec.FailurePause }
		web := func(change ...func(*spec.Service)) *spec.Service {
			return service("web", append(change, needs(spec.ConditionStarted, "api"))...)
		}
		r.apply(append(instances(2, "api", probed, startFirst, pause), web())...)
		settle(time.Minute)
		r.apply(append(instances(2, "api", probed, startFirst, pause, arg("bad")), web())...)
		settle(10 * time.Minute)
		r.apply(append(instances(2, "api", probed, startFirst, pause, arg("bad")), web(arg("new")))...)
		if p := r.want("web", Running); len(p.Started.Command) != 2 {
			t.Errorf("it runs %v", p.Started.Command)
		}
	})
}

// What is on its way to be started beside the current process is held to the order that is in force by then.
func TestStartFirstThatBecomesStopFirstOverlapsNothing(t *testing.T) {
	for what, begin := range map[string]func(*rig){
		"restart": func(r *rig) { r.do(Act{Verb: Restart, Names: []string{"api"}, NoWait: true}) },
		"edit": func(r *rig) {
			if _, err := r.sup.Begin(makeSpec(service("api", startFirst, slowStart, arg("2"))), nil); err != nil {
				r.t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newErrands(func(kind string) processtest.Behavior { // two runs at once make it panic
					if kind == "run" {
						return processtest.Behavior{StopAfter: time.Second}
					}
					return processtest.Behavior{ExitAfter: 5 * time.Second}
				})
				r := newRig(t, e.Fake, nil)
				r.apply(service("api", startFirst, slowStart))
				begin(r)
				settle(time.Second)
				if p := r.want("api", Running); p.Rollout == nil || p.Rollout.State != RolloutStarting {
					t.Fatalf("no next process is on its way: %+v", p.Rollout)
				}
				next := service("api", startFirst, slowStart, func(s *spec.Service) { s.Update.Order = spec.StopFirst })
				if what == "edit" {
					next = service("api", startFirst, slowStart, arg("2"), func(s *spec.Service) { s.Update.Order = spec.StopFirst })
				}
				if _, err := r.sup.Begin(makeSpec(next), nil); err != nil {
					t.Fatal(err)
				}
				settle(time.Minute)
				if p := r.want("api", Running); p.Rollout != nil || p.Run.Incarnation < 2 {
					t.Errorf("it ended as %+v, run %v", p.Rollout, p.Run)
				}
				runs := 0
				for _, kind := range e.order() {
					if kind == "run" {
						runs++
					}
				}
				if runs != 2 {
					t.Errorf("%d processes were started, want the first and the next: %v", runs, e.order())
				}
			})
		})
	}
}

func slowStart(s *spec.Service) { s.Hooks.PreStart = exec() }
