package supervisor

import (
	"os"
	"path/filepath"
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

func watching(s *spec.Service) {
	s.Watch = spec.Watch{Paths: []string{trueProgram}, Quiet: 5 * time.Second}
}

// holding is a watched service whose files hold content; where copies is set, a shadow copy runs.
func holding(t *testing.T, name, content, copies string, change ...func(*spec.Service)) *spec.Service {
	t.Helper()
	s := service(name, append([]func(*spec.Service){watching, func(s *spec.Service) { s.Watch.ShadowCopy = copies != "" }}, change...)...)
	b := spec.Binary{Content: content, Files: "api.exe"}
	if copies != "" {
		b.Copy = filepath.Join(copies, content, "api.exe")
		if err := os.MkdirAll(filepath.Dir(b.Copy), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.Copy, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return s.WithBinary(b)
}

// badCopy lets every run of a program below a folder of that name end at once.
func badCopy(name string) *processtest.Fake {
	fake := processtest.New()
	fake.Behave = func(_ process.RunID, q process.Request) processtest.Behavior {
		if strings.Contains(q.Path, name) {
			return processtest.Behavior{ExitAfter: 50 * time.Millisecond, Code: 2}
		}
		return processtest.Behavior{}
	}
	return fake
}

func (r *rig) path(id string) string {
	return r.fake.Request(r.snap(id).Run).Path
}

func (r *rig) said(k journal.Kind, words string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == k && strings.Contains(e.Reason, words) {
			return true
		}
	}
	return false
}

func TestNothingStartsBeforeItsFilesWereLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		undressed := service("api", watching)
		r.apply(undressed, service("other"))
		r.want("other", Running)
		if p := r.want("api", Waiting); !strings.Contains(p.Reason, "watched files") {
			t.Errorf("waits: %s", p.Reason)
		}
		found := Found{Of: "of another spec", Binary: spec.Binary{Content: "one"}}
		_ = r.sup.Identify(map[Key]Found{{"api", 1}: found})
		settle(time.Second)
		r.want("api", Waiting)
		found.Of = undressed.Hash
		_ = r.sup.Identify(map[Key]Found{{"api", 1}: found})
		settle(time.Second)
		p := r.want("api", Running)
		if p.Spec.Binary.Content != "one" || p.SpecState != SpecApplied || r.count("api", journal.SpecChanged) != 0 {
			t.Errorf("%+v, %s", p.Spec.Binary, p.SpecState)
		}
	})
}

// TestWhatRunsIsLeftAloneUntilTheNewFilesAreThere: a copy may take a minute; the former program runs on.
func TestWhatRunsIsLeftAloneUntilTheNewFilesAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		pid := r.want("api", Running).PID
		next := service("api", watching, arg("new"))
		e, err := r.sup.Begin(makeSpec(next), nil)
		if err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		if p := r.want("api", Running); p.PID != pid {
			t.Error("it was restarted before its files were looked at")
		}
		_ = r.sup.Identify(map[Key]Found{{"api", 1}: {Of: next.Hash, Binary: spec.Binary{Content: "one"}}})
		if _, err := e.Wait(t.Context(), false); err != nil {
			t.Error(err)
		}
		if p := r.want("api", Running); p.PID == pid || p.Spec.Binary.Content != "one" {
			t.Errorf("PID %d, %+v", p.PID, p.Spec.Binary)
		}
	})
}

func TestBeginningToWatchRestartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api"))
		pid := r.want("api", Running).PID
		r.apply(holding(t, "api", "one", ""))
		if p := r.want("api", Running); p.PID != pid || p.SpecState != SpecApplied {
			t.Errorf("PID %d, then %d; spec %s", pid, p.PID, p.SpecState)
		}
		more := func(s *spec.Service) { s.Watch.Paths = append(s.Watch.Paths, "/other") }
		r.apply(holding(t, "api", "one and other", "", more))
		if p := r.want("api", Running); p.PID != pid || p.SpecState != SpecApplied {
			t.Errorf("other paths: PID %d, then %d; spec %s", pid, p.PID, p.SpecState)
		}
		r.apply(holding(t, "api", "two and other", "", more))
		if p := r.want("api", Running); p.PID == pid {
			t.Error("a change after that was missed")
		}
	})
}

func TestChangedBinaryGoesBackToTheFormerCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		fake, store := badCopy("bad"), &statetest.Memory{}
		r := newRig(t, fake, store)
		one, bad, three := holding(t, "api", "one", dir), holding(t, "api", "bad", dir), holding(t, "api", "three", dir)
		r.apply(one)
		settle(time.Minute)
		r.apply(bad)
		settle(time.Second)
		p := r.want("api", Running)
		if p.SpecState != SpecRolledBack || r.path("api") != one.Binary.Copy || p.Former.Binary.Copy != one.Binary.Copy {
			t.Errorf("%s, runs %s", p.SpecState, r.path("api"))
		}
		if !strings.HasPrefix(p.RejectWhy, "api.exe changed (sha256 one → bad): exit 2") {
			t.Errorf("rejected: %s", p.RejectWhy)
		}
		starts := len(fake.Starts())
		r.apply(bad)
		settle(time.Minute)
		if n := len(fake.Starts()); n != starts {
			t.Errorf("the rejected binary was tried again: %d starts, then %d", starts, n)
		}

		// A restart of the host: the spec arrives without its content first.
		second := newRig(t, badCopy("bad"), store)
		undressed := bad.WithBinary(spec.Binary{})
		second.apply(undressed)
		_ = second.sup.Identify(map[Key]Found{{"api", 1}: {Of: undressed.Hash, Binary: bad.Binary}})
		settle(time.Second)
		if p := second.want("api", Running); p.SpecState != SpecRolledBack || second.path("api") != one.Binary.Copy {
			t.Errorf("after a restart of the host: %s, runs %s", p.SpecState, second.path("api"))
		}
		if n := second.count("api", journal.RolledBack); n != 0 {
			t.Error("the restarted host tried what was rejected")
		}
		second.apply(three)
		settle(time.Minute)
		if p := second.want("api", Running); p.SpecState != SpecApplied || second.path("api") != three.Binary.Copy {
			t.Errorf("mended: %s, runs %s", p.SpecState, second.path("api"))
		}
	})
}

func TestReplacedBinaryWithoutACopyGoesOnByPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		code := 0
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			if code > 0 {
				return processtest.Behavior{ExitAfter: 50 * time.Millisecond, Code: code}
			}
			return processtest.Behavior{}
		}
		r := newRig(t, fake, nil)
		r.apply(holding(t, "api", "one", ""))
		settle(time.Minute)
		code = 2
		r.apply(holding(t, "api", "two", ""))
		settle(10 * time.Second)
		p := r.snap("api")
		if p.SpecState != SpecApplied || p.Restarts == 0 {
			t.Errorf("spec %s, %d restarts, %s: %s", p.SpecState, p.Restarts, p.State, p.Reason)
		}
		if !r.said(journal.Warning, "there is no shadow copy of the former one") || r.count("api", journal.RolledBack) != 0 {
			t.Error("nothing says that the binary can't be restored")
		}
		if n := r.count("api", journal.Warning); n != 1 {
			t.Errorf("%d warnings", n)
		}
	})
}

func TestRollbackOfSpecAndBinarySaysWhatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(_ process.RunID, q process.Request) processtest.Behavior {
			if len(q.Args) > 1 {
				return processtest.Behavior{ExitAfter: 50 * time.Millisecond, Code: 2}
			}
			return processtest.Behavior{}
		}
		r := newRig(t, fake, nil)
		r.apply(holding(t, "api", "one", ""))
		settle(time.Minute)
		r.apply(holding(t, "api", "two", "", arg("bad")))
		settle(time.Second)
		p := r.want("api", Running)
		if p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, "what can't be undone: api.exe changed") || p.Spec.Binary.Content != "two" {
			t.Errorf("%s: %s; %+v", p.SpecState, p.RejectWhy, p.Spec.Binary)
		}
	})
}

// TestCrashMeanwhileIsRestartEnough: a run that began after the last write has the new binary already.
func TestCrashMeanwhileIsRestartEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(holding(t, "api", "one", ""))
		settle(time.Minute)
		written := time.Now()
		settle(time.Second)
		fake.Exit(r.snap("api").Run, 1, "")
		settle(2 * time.Second)
		pid := r.want("api", Running).PID
		next := holding(t, "api", "two", "")
		next.Binary.Since = written
		r.apply(next)
		if p := r.want("api", Running); p.PID != pid || p.SpecState != SpecApplied {
			t.Errorf("restarted though it runs what was written: PID %d, then %d; %s", pid, p.PID, p.SpecState)
		}
		late := holding(t, "api", "three", "")
		late.Binary.Since = time.Now()
		settle(time.Second)
		r.apply(late)
		if p := r.want("api", Running); p.PID == pid {
			t.Error("a later change was missed")
		}
	})
}

func TestCopyThatCanNotBeMadeEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newRig(t, processtest.New(), nil)
		one := holding(t, "api", "one", dir)
		r.apply(one)
		pid := r.want("api", Running).PID
		r.apply(one.WithBinary(spec.Binary{Content: "two", Problem: "the disk is full"}))
		settle(time.Second)
		if p := r.want("api", Running); p.PID != pid || p.SpecState != SpecRolledBack || !strings.Contains(p.RejectWhy, "the disk is full") {
			t.Errorf("PID %d, then %d; %s: %s", pid, p.PID, p.SpecState, p.RejectWhy)
		}
		r.apply(holding(t, "api", "two", dir))
		settle(time.Second)
		if p := r.want("api", Running); p.PID == pid || p.SpecState != SpecApplied {
			t.Errorf("the copy that was made later is not run: %s", p.SpecState)
		}
	})
}

func TestInstancesTakeANewBinaryOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{StopAfter: 2 * time.Second}
		}
		r := newRig(t, fake, nil)
		two := func(content string) []*spec.Service {
			var out []*spec.Service
			for n := 1; n <= 2; n++ {
				out = append(out, holding(t, "api", content, "", func(s *spec.Service) {
					s.Instance, s.Instances, s.ID = n, 2, Key{"api", n}.String()
				}))
			}
			return out
		}
		r.apply(two("one")...)
		settle(time.Minute)
		if _, err := r.sup.Begin(makeSpec(two("two")...), nil); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		if a, b := r.snap("api.1").State, r.snap("api.2").State; a != Stopping || b != Running {
			t.Errorf("at first %s and %s", a, b)
		}
		settle(2 * time.Second)
		if a, b := r.snap("api.1").State, r.snap("api.2").State; a != Running || b != Stopping {
			t.Errorf("then %s and %s", a, b)
		}
		settle(3 * time.Second)
	})
}
