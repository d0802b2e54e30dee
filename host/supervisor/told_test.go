package supervisor

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

// hung notes which runs are told by SIGHUP.
type hung struct {
	mu   sync.Mutex
	runs []uint64
}

func (h *hung) step(id process.RunID, do string) error {
	if do == "SIGHUP" {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.runs = append(h.runs, id.Incarnation)
	}
	return nil
}

func (h *hung) told(t *testing.T, want ...uint64) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.runs, want) {
		t.Errorf("told are the runs %v, want %v", h.runs, want)
	}
}

func config(v string, change *spec.OnChange) func(*spec.Service) {
	return func(s *spec.Service) { s.Config, s.OnChange = v, change }
}

var hangup = &spec.OnChange{Signal: "SIGHUP"}

func TestConfigRestartsWhatIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", config("one", nil)))
		pid := r.want("api", Running).PID
		r.apply(service("api", config("two", nil)))
		if r.want("api", Running).PID == pid {
			t.Error("on_change: restart did not restart it")
		}
	})
}

// What a process was told of it has: that it can be told no more is no reason to restart it.
func TestTakingOnChangeAwayRestartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		var h hung
		fake.Step, fake.Behave = h.step, func(process.RunID, process.Request) processtest.Behavior { return processtest.Behavior{Rereads: true} }
		r := newRig(t, fake, nil)
		env := func(v string) func(*spec.Service) {
			return func(s *spec.Service) {
				s.Env, s.EnvFromFile = map[string]*string{"LEVEL": &v}, map[string]bool{"LEVEL": true}
			}
		}
		r.apply(service("api", config("one", hangup), env("info")))
		pid := r.want("api", Running).PID
		r.apply(service("api", config("two", hangup), env("debug")))
		settle(time.Second)
		h.told(t, 1)
		r.apply(service("api", config("two", nil), env("debug")))
		if p := r.want("api", Running); p.PID != pid || p.SpecState != SpecApplied {
			t.Errorf("process %d, before %d; %s", p.PID, pid, p.SpecState)
		}
		r.apply(service("api", config("two", nil), env("info")))
		if r.want("api", Running).PID == pid {
			t.Error("a variable of the env_file did not restart it")
		}
	})
}

func TestBothRunsAreToldOfAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		var h hung
		r.fake.Step, r.fake.Behave = h.step, func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{Rereads: true, StopAfter: 3 * time.Second}
		}
		r.apply(service("api", probed, startFirst, config("one", hangup)))
		settle(time.Minute)
		r.begin(service("api", probed, startFirst, config("one", hangup), arg("new")))
		settle(time.Second)
		r.phase("api", RolloutStarting, 1)
		r.begin(service("api", probed, startFirst, config("two", hangup), arg("new")))
		settle(time.Minute)
		if p := r.phase("api", "", 2); p.SpecState != SpecApplied || p.Started.Config != "two" {
			t.Errorf("%s, knows %s", p.SpecState, p.Started.Config)
		}
		h.told(t, 2)
	})
}

// A process that is being stopped is told of nothing: the next one reads its files anyway.
func TestStoppingProcessIsToldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		var h hung
		fake.Step, fake.Behave = h.step, func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{Rereads: true, StopAfter: 10 * time.Second}
		}
		r := newRig(t, fake, nil)
		r.apply(service("api", config("one", hangup)))
		settle(time.Minute)
		r.begin(service("api", config("one", hangup), arg("new")))
		settle(time.Second)
		r.want("api", Stopping)
		r.begin(service("api", config("two", hangup)))
		settle(time.Minute)
		if p := r.want("api", Running); p.Run.Incarnation != 2 || p.Started.Config != "two" {
			t.Errorf("run %d was started with %s", p.Run.Incarnation, p.Started.Config)
		}
		h.told(t)
	})
}

// An edit that needs no restart is in force at once, but proves nothing of the one before it.
func TestLiveEditDuringTheProofStillGoesBack(t *testing.T) {
	live := func(s *spec.Service) { s.Restart.Delay = 7 * time.Second }
	for _, c := range []struct {
		name   string
		change func(*spec.Service)
		fail   func(r *rig)
	}{
		{"stop_first exits", func(*spec.Service) {}, func(r *rig) { r.fake.Exit(r.snap("api").Run, 1, "") }},
		{"start_first exits", startFirst, func(r *rig) { r.fake.Exit(r.snap("api").Run, 1, "") }},
		{"stop_first is not ready", func(*spec.Service) {}, func(r *rig) { r.probes.of("api").say(BecameNotReady, "status 500") }},
		{"start_first is not ready", startFirst, func(r *rig) { r.probes.of("api").say(BecameNotReady, "status 500") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := beside(t)
				r.apply(service("api", probed, c.change))
				settle(time.Minute)
				r.begin(service("api", probed, c.change, arg("new")))
				settle(8 * time.Second)
				r.begin(service("api", probed, c.change, arg("new"), live))
				settle(time.Second)
				if p := r.want("api", Running); !p.Proving || p.Spec.Restart.Delay != 7*time.Second {
					t.Fatalf("proving %v, restart.delay %v", p.Proving, p.Spec.Restart.Delay)
				}
				c.fail(r)
				settle(time.Minute)
				if p := r.want("api", Running); p.SpecState != SpecRolledBack || len(p.Started.Command) > 1 {
					t.Errorf("%s, runs %v", p.SpecState, p.Started.Command)
				}
			})
		})
	}
}
