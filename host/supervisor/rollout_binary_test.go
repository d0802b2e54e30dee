package supervisor

import (
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

// besideOver is beside over a backend and a store, where every run of a program below a folder "bad" ends at once.
func besideOver(t *testing.T, store *statetest.Memory) *rig {
	fake := processtest.New()
	fake.Beside = true
	fake.Behave = func(_ process.RunID, q process.Request) processtest.Behavior {
		if strings.Contains(q.Path, "bad") {
			return processtest.Behavior{ExitAfter: 50 * time.Millisecond, Code: 2}
		}
		return processtest.Behavior{StopAfter: 3 * time.Second}
	}
	r := newRig(t, fake, store)
	r.probes.script = readyAfter(2 * time.Second)
	return r
}

func TestNewBinaryIsStartedBesideTheFormer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), besideOver(t, nil)
		one, two := holding(t, "api", "one", dir, probed, startFirst), holding(t, "api", "two", dir, probed, startFirst)
		r.apply(one)
		settle(time.Minute)
		first := r.phase("api", "", 1)
		r.begin(two)
		settle(time.Second)
		p := r.phase("api", RolloutStarting, 1)
		if p.PID != first.PID || r.path("api") != one.Binary.Copy || p.Beside.Binary.Copy != two.Binary.Copy {
			t.Errorf("runs %s, beside it %s", r.path("api"), p.Beside.Binary.Copy)
		}
		settle(time.Second + time.Millisecond)
		if p := r.phase("api", RolloutSwitching, 2); r.path("api") != two.Binary.Copy || p.Beside.Binary.Copy != one.Binary.Copy {
			t.Errorf("runs %s, the former one is %s", r.path("api"), p.Beside.Binary.Copy)
		}
		settle(time.Minute)
		if p := r.phase("api", "", 2); p.SpecState != SpecApplied || p.Beside != nil || p.Former.Binary.Copy != two.Binary.Copy {
			t.Errorf("%s, beside %v, goes back to %s", p.SpecState, p.Beside, p.Former.Binary.Copy)
		}
		if !r.said(journal.Rollout, "api.exe changed (sha256 one → two)") {
			t.Error("no event says why")
		}
	})
}

// A binary that is no good touches nobody, is not tried again, and the copy of the former one stays in force, also
// after a crash and after a restart of the host.
func TestBadBinaryBesideTheFormerTouchesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, store := t.TempDir(), &statetest.Memory{}
		r := besideOver(t, store)
		one, bad, three := holding(t, "api", "one", dir, probed, startFirst), holding(t, "api", "bad", dir, probed, startFirst), holding(t, "api", "three", dir, probed, startFirst)
		r.apply(one)
		settle(time.Minute)
		first := r.snap("api")
		r.apply(bad)
		settle(time.Hour)
		p := r.phase("api", "", 1)
		if p.PID != first.PID || p.SpecState != SpecRolledBack || !strings.HasPrefix(p.RejectWhy, "api.exe changed (sha256 one → bad): it ended: exit 2") || strings.Contains(p.RejectWhy, "undone") {
			t.Errorf("process %d, before %d; %s: %s", p.PID, first.PID, p.SpecState, p.RejectWhy)
		}
		if n := len(r.fake.Starts()); n != 2 {
			t.Errorf("%d starts, want the current one and one try", n)
		}
		r.fake.Exit(p.Run, 1, "")
		settle(time.Minute)
		if r.want("api", Running); r.path("api") != one.Binary.Copy {
			t.Errorf("a crash brought up %s", r.path("api"))
		}

		second := besideOver(t, store) // the spec arrives without its content first
		undressed := bad.WithBinary(spec.Binary{})
		second.apply(undressed)
		_ = second.sup.Identify(map[Key]Found{{"api", 1}: {Of: undressed.Hash, Binary: bad.Binary}})
		settle(time.Minute)
		if p := second.want("api", Running); p.SpecState != SpecRolledBack || second.path("api") != one.Binary.Copy {
			t.Errorf("after a restart of the host: %s, runs %s", p.SpecState, second.path("api"))
		}
		second.begin(three)
		settle(time.Minute)
		if p := second.want("api", Running); p.SpecState != SpecApplied || second.path("api") != three.Binary.Copy {
			t.Errorf("mended: %s, runs %s", p.SpecState, second.path("api"))
		}
		if got := strings.Join(second.states("api"), " "); strings.Contains(got, "stopping") {
			t.Errorf("it went through %s", got)
		}
	})
}

// Without a copy the current process goes on, and what can't be undone is said.
func TestBadBinaryWithoutACopyLeavesTheProcessAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.apply(holding(t, "api", "one", "", probed, startFirst))
		settle(time.Minute)
		first := r.snap("api")
		r.fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: time.Second, Code: 2}
		}
		r.apply(holding(t, "api", "two", "", probed, startFirst))
		settle(time.Hour)
		p := r.phase("api", "", 1)
		if p.PID != first.PID || p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, "there is no shadow copy of the former one") {
			t.Errorf("process %d, before %d; %s: %s", p.PID, first.PID, p.SpecState, p.RejectWhy)
		}
		if n := len(r.fake.Starts()); n != 2 {
			t.Errorf("%d starts", n)
		}
	})
}

// A binary that fails within monitor is replaced by the former copy, started beside it.
func TestBinaryThatDoesNotStayReadyGoesBackBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, r := t.TempDir(), besideOver(t, nil)
		one, two := holding(t, "api", "one", dir, probed, startFirst), holding(t, "api", "two", dir, probed, startFirst)
		r.apply(one)
		settle(time.Minute)
		r.begin(two)
		settle(6 * time.Second)
		r.phase("api", RolloutMonitoring, 2)
		r.probes.of("api").say(BecameNotReady, "status 500")
		settle(time.Minute)
		if p := r.phase("api", "", 3); p.SpecState != SpecRolledBack || r.path("api") != one.Binary.Copy || p.Health != HealthHealthy {
			t.Errorf("%s, runs %s, %s", p.SpecState, r.path("api"), p.Health)
		}
		if got := strings.Join(r.states("api"), " "); got != "starting running" {
			t.Errorf("it went through %s", got)
		}
	})
}
