package process_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/process"
)

var startCases = []suiteCase{
	{"ExitCodeArrives", func(t *testing.T, s *stage) {
		for _, code := range []string{"0", "3", "255"} {
			before := time.Now()
			id, _ := s.start(part("exit", code))
			exit := s.await(id, process.Exited).Exit
			if exit.Code != number(code) || exit.Signal != "" || exit.Core {
				t.Errorf("exit %s arrived as %+v", code, exit)
			}
			if exit.At.Before(before.Add(-time.Second)) || exit.At.After(time.Now().Add(time.Second)) {
				t.Errorf("exit at %v, started at %v", exit.At, before)
			}
			if gone := s.await(id, process.Gone).Exit; gone.Code != exit.Code {
				t.Errorf("Gone says %+v, Exited %+v", gone, exit)
			}
		}
	}},
	{"StartIsIdempotentUntilAck", func(t *testing.T, s *stage) {
		id, ident := s.start(part("sleep"))
		again, err := s.Start(id, part("exit", "1"))
		if err != nil || again != ident {
			t.Errorf("second Start: %+v, %v; first %+v", again, err, ident)
		}
		s.KillTree(id)
		s.await(id, process.Gone)
		if again, err := s.Start(id, part("exit", "1")); err != nil || again != ident {
			t.Errorf("Start before Ack: %+v, %v", again, err)
		}
		s.Ack(id)
		if again, err := s.Start(id, part("sleep")); err != nil || again == ident {
			t.Errorf("Start after Ack: %+v, %v; before %+v", again, err, ident)
		}
		s.KillTree(id)
		awaitTrue(t, "the new run is gone", func() bool { return len(s.List()) == 1 && s.List()[0].Gone })
		s.Ack(id)
		s.mu.Lock()
		s.events = nil // the RunID was used twice
		s.mu.Unlock()
	}},
	{"ConcurrentStartsOfOneRunAreOne", func(t *testing.T, s *stage) {
		id := s.name()
		idents := make([]process.Identity, 8)
		var wg sync.WaitGroup
		for i := range idents {
			wg.Go(func() { idents[i], _ = s.Start(id, part("sleep")) })
		}
		wg.Wait()
		if idents[0].PID == 0 || len(slices.Compact(idents)) != 1 {
			t.Errorf("identities %v", idents)
		}
		if n := len(s.List()); n != 1 {
			t.Errorf("%d runs", n)
		}
	}},
	{"ListKeepsAnExitUntilAck", func(t *testing.T, s *stage) {
		early, _ := s.start(part("exit", "4"))
		s.Ack(early) // perhaps too early: then it does nothing
		s.await(early, process.Gone)
		id, ident := s.start(part("exit", "4"))
		s.await(id, process.Gone)
		var entry process.Run
		for _, r := range s.List() {
			if r.ID == id {
				entry = r
			}
		}
		if entry.Identity != ident || entry.Exit == nil || entry.Exit.Code != 4 || !entry.Gone {
			t.Errorf("List has %+v", entry)
		}
		s.Ack(id)
		if slices.ContainsFunc(s.List(), func(r process.Run) bool { return r.ID == id }) {
			t.Error("List has it after Ack")
		}
		s.Ack(id)
	}},
	{"AckBeforeGoneDoesNothing", func(t *testing.T, s *stage) {
		id, _ := s.start(part("sleep"))
		s.Ack(id)
		if list := s.List(); len(list) != 1 || list[0].Exit != nil || list[0].Gone {
			t.Errorf("List has %+v", list)
		}
	}},
	{"EnvironmentIsTheOneGiven", func(t *testing.T, s *stage) {
		r := part("env")
		r.Env = append(r.Env, "GREETING=salut à tous", "EMPTY=")
		id, _ := s.start(r)
		text := s.read(id, process.Stdout).awaitEnd(t)
		for _, want := range []string{"GREETING=salut à tous\n", "EMPTY=\n", "HOST_RUN="} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in %q", want, text)
			}
		}
		if !strings.Contains(text, id.String()) {
			t.Errorf("the marker does not name the run %v: %q", id, text)
		}
		s.await(id, process.Gone)
	}},
	{"ArgumentsArriveUnchanged", func(t *testing.T, s *stage) {
		args := []string{"plain", "two words", `a"quote`, `C:\dir with blank\`, `\\server\share\\`, "", "tab\there", "%PATH%", "a&b|c>d<e^f", "日本", `\"`, "'single'", "$HOME", "*"}
		r := part("args", args...)
		id, _ := s.start(r)
		text := s.read(id, process.Stdout).awaitEnd(t)
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if len(lines) != len(args) {
			t.Fatalf("%d lines for %d arguments: %q", len(lines), len(args), text)
		}
		for i, a := range args {
			if want := quoted(a); lines[i] != want {
				t.Errorf("argument %s arrived as %s", want, lines[i])
			}
		}
		s.await(id, process.Gone)
	}},
	{"ErrorsAreData", func(t *testing.T, s *stage) {
		missing, folder, forbidden, format := part("exit", "0"), part("exit", "0"), part("exit", "0"), part("exit", "0")
		missing.Path = filepath.Join(t.TempDir(), "app.exe")
		folder.Dir = filepath.Join(t.TempDir(), "none")
		forbidden.Path = unusable(t)
		format.Path = notAProgram(t)
		for _, c := range []struct {
			name string
			r    process.Request
			kind process.ErrKind
		}{
			{"no executable", missing, process.ErrNotFound},
			{"no folder", folder, process.ErrNotFound},
			{"not permitted", forbidden, process.ErrPermission},
			{"no program", format, process.ErrFormat},
		} {
			id := s.name()
			_, err := s.Start(id, c.r)
			if err == nil {
				t.Errorf("%s: started", c.name)
			} else if kind := kindOf(t, err); kind != c.kind {
				t.Errorf("%s: kind %q, want %q (%v)", c.name, kind, c.kind, err)
			}
			// A failed Start leaves nothing: the same RunID is free again.
			if list := s.List(); len(list) != 0 {
				t.Errorf("%s: List has %v", c.name, list)
			}
		}
		none := process.RunID{Service: "none", Instance: 1, Incarnation: 9}
		_, usageErr := s.Usage(none, true)
		_, outputErr := s.OpenOutput(none, process.Stdout)
		for name, err := range map[string]error{
			"StopStep": s.StopStep(none, stopSteps[0]), "KillTree": s.KillTree(none), "Usage": usageErr, "OpenOutput": outputErr,
		} {
			if kind := kindOf(t, err); kind != process.ErrNoRun {
				t.Errorf("%s without a run: kind %q", name, kind)
			}
		}
		s.Ack(none)
	}},
	{"UnknownStopStepIsRefused", func(t *testing.T, s *stage) {
		id, _ := s.start(part("sleep"))
		if kind := kindOf(t, s.StopStep(id, "please")); kind != process.ErrUnsupported {
			t.Errorf("kind %q", kind)
		}
	}},
	{"UsageIsPlausible", func(t *testing.T, s *stage) {
		id, _ := s.start(part("spin"))
		s.read(id, process.Stdout).awaitText(t, "ready")
		u, err := s.Usage(id, false)
		if err != nil {
			t.Fatal(err)
		}
		if u.Processes != 1 || u.Memory < 8<<20 || u.Memory > 1<<30 || u.CPU < 20*time.Millisecond || u.CPU > time.Minute {
			t.Errorf("usage %+v", u)
		}
	}},
}

var treeCases = []suiteCase{
	{"GrandchildDiesWithTheMainProcess", func(t *testing.T, s *stage) {
		for _, how := range []string{"same", "detached"} {
			id, _ := s.start(part("family", how, "ignore", "exit"))
			out := s.read(id, process.Stdout)
			pid := out.awaitGrandchild(t)
			if exit := s.await(id, process.Exited).Exit; exit.Code != 3 {
				t.Errorf("%s: exit %+v", how, exit)
			}
			s.await(id, process.Gone)
			if alive(pid) {
				t.Errorf("%s: grandchild %d lives after Gone", how, pid)
			}
			out.awaitEnd(t) // it held the pipe open
		}
	}},
	{"WholeTreeStaysUpWithTheLastMember", func(t *testing.T, s *stage) {
		for _, how := range []string{"same", "detached"} {
			r := part("family", how, "ignore", "exit")
			r.WholeTree = true
			id, _ := s.start(r)
			out := s.read(id, process.Stdout)
			pid := out.awaitGrandchild(t)
			if exit := s.await(id, process.Exited).Exit; exit.Code != 3 {
				t.Errorf("%s: exit %+v", how, exit)
			}
			if !alive(pid) {
				t.Fatalf("%s: the grandchild died with the main process", how)
			}
			if _, gone := s.find(id, process.Gone); gone {
				t.Errorf("%s: Gone while the grandchild lives", how)
			}
			if u, err := s.Usage(id, false); err != nil || u.Processes != 1 {
				t.Errorf("%s: usage %+v, %v", how, u, err)
			}
			killProcess(t, pid)
			s.await(id, process.Gone)
			out.awaitEnd(t)
		}
	}},
	{"KillTreeEndsTheWholeTree", func(t *testing.T, s *stage) {
		for _, how := range []string{"same", "detached"} {
			for _, whole := range []bool{false, true} {
				r := part("family", how, "ignore")
				r.WholeTree = whole
				id, ident := s.start(r)
				out := s.read(id, process.Stdout)
				pid := out.awaitGrandchild(t)
				if err := s.KillTree(id); err != nil {
					t.Fatal(err)
				}
				s.await(id, process.Gone)
				if alive(pid) {
					t.Errorf("%s: grandchild %d lives after Gone", how, pid)
				}
				if alive(ident.PID) {
					t.Errorf("%s: child %d lives after Gone", how, ident.PID)
				}
				out.awaitEnd(t)
				if err := s.KillTree(id); err != nil {
					t.Errorf("KillTree of what is gone: %v", err)
				}
				s.Ack(id)
			}
		}
	}},
	{"UsageCountsTheTree", func(t *testing.T, s *stage) {
		id, _ := s.start(part("family", "same", "sleep"))
		s.read(id, process.Stdout).awaitGrandchild(t)
		u, err := s.Usage(id, false)
		if err != nil || u.Processes != 2 || u.Memory < 1<<20 {
			t.Errorf("usage %+v, %v", u, err)
		}
	}},
	{"CloseEndsEverything", func(t *testing.T, s *stage) {
		var pids []int
		for range 3 {
			id, ident := s.start(part("family", "detached", "ignore"))
			pids = append(pids, ident.PID, s.read(id, process.Stdout).awaitGrandchild(t))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, pid := range pids {
			if alive(pid) {
				t.Errorf("process %d lives after Close", pid)
			}
		}
		if _, err := s.Start(s.name(), part("exit", "0")); err == nil {
			t.Error("Start after Close worked")
		}
		if err := s.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	}},
}

var stopCases = []suiteCase{
	{"StopStepEndsAWellBehavedChild", func(t *testing.T, s *stage) {
		for _, step := range stopSteps {
			id, _ := s.start(part("stop"))
			out := s.read(id, process.Stdout)
			out.awaitText(t, "ready")
			if err := s.StopStep(id, step); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			if exit := s.await(id, process.Exited).Exit; exit.Code != 5 {
				t.Errorf("%s: exit %+v", step, exit)
			}
			s.await(id, process.Gone)
			if text := out.awaitEnd(t); !strings.Contains(text, "stopped\n") {
				t.Errorf("%s: output %q", step, text)
			}
			if err := s.StopStep(id, step); err != nil {
				t.Errorf("%s of what is gone: %v", step, err)
			}
		}
	}},
	{"StopStepReachesTheGroup", func(t *testing.T, s *stage) {
		r := part("family", "same", "stop", "exit")
		r.WholeTree = true
		id, _ := s.start(r)
		out := s.read(id, process.Stdout)
		pid := out.awaitGrandchild(t)
		s.await(id, process.Exited)
		if err := s.StopStep(id, stopSteps[0]); err != nil {
			t.Fatal(err)
		}
		s.await(id, process.Gone)
		if alive(pid) {
			t.Errorf("grandchild %d lives", pid)
		}
	}},
	{"IgnoringChildNeedsKillTree", func(t *testing.T, s *stage) {
		id, _ := s.start(part("ignore"))
		s.read(id, process.Stdout).awaitText(t, "ready")
		for _, step := range stopSteps {
			if err := s.StopStep(id, step); err != nil {
				t.Errorf("%s: %v", step, err)
			}
		}
		if _, ended := s.find(id, process.Exited); ended {
			t.Fatal("it ended")
		}
		if err := s.KillTree(id); err != nil {
			t.Fatal(err)
		}
		if exit := s.await(id, process.Exited).Exit; exit.Code == 0 {
			t.Errorf("exit %+v", exit)
		}
		s.await(id, process.Gone)
	}},
	{"StdinCloseEndsTheInput", func(t *testing.T, s *stage) {
		r := part("stdin")
		r.Stdin = true
		id, _ := s.start(r)
		s.read(id, process.Stdout).awaitText(t, "ready")
		for range 2 {
			if err := s.StopStep(id, "stdin_close"); err != nil {
				t.Fatal(err)
			}
		}
		if exit := s.await(id, process.Exited).Exit; exit.Code != 7 {
			t.Errorf("exit %+v", exit)
		}
		s.await(id, process.Gone)
	}},
	{"StdinCanBeAFile", func(t *testing.T, s *stage) {
		r := part("cat")
		r.StdinFile = filepath.Join(t.TempDir(), "input é.json")
		want := numbered(20000) // more than a pipe holds
		if err := os.WriteFile(r.StdinFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		id, _ := s.start(r)
		checkSame(t, s.read(id, process.Stdout).awaitEnd(t), want)
		s.await(id, process.Gone)
		r.StdinFile += ".missing"
		if _, err := s.Start(s.name(), r); kindOf(t, err) != process.ErrNotFound || !strings.Contains(err.Error(), "missing") {
			t.Errorf("a missing file: %v", err)
		}
	}},
	{"StdinIsEmptyByDefault", func(t *testing.T, s *stage) {
		id, _ := s.start(part("stdin"))
		if exit := s.await(id, process.Exited).Exit; exit.Code != 7 {
			t.Errorf("exit %+v", exit)
		}
		s.await(id, process.Gone)
	}},
}
