package upgrade

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// start runs the executable until the returned function is called.
func start(t *testing.T, exe string) (end func()) {
	t.Helper()
	cmd := exec.Command(exe, "run")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			in.Close()
			if err := cmd.Wait(); err != nil {
				t.Errorf("what ran before did not end well: %v", err)
			}
		}
	}
	t.Cleanup(end)
	return end
}

// crashed is a rig whose upgrade to a version died in a phase.
func crashed(t *testing.T, at phase, to program) (exe string, s *fakeService, file string) {
	t.Helper()
	exe, s = rig(t, true)
	file = next(t, to)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "crash", string(at), exe, file)
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 7 {
		t.Fatalf("it did not come to %s: %s", at, out)
	}
	return exe, s, file
}

// versionFor is one that dies where its upgrade is to come to going back.
func versionFor(at phase) program {
	return program{Version: "2.0.0", Dies: at == reverting}
}

func TestNextUpgradeRecoversFromACrashAtAnyPhase(t *testing.T) {
	for _, at := range crashPhases {
		t.Run(string(at), func(t *testing.T) {
			exe, s, _ := crashed(t, at, versionFor(at))
			if at != aside {
				if v, err := versionOf(t.Context(), exe); err != nil {
					t.Fatalf("there is no working executable: %q, %v", v, err)
				}
			}
			// An upgrade to what is there already shows what was recovered.
			o := options(exe, next(t, program{Version: "1.0.0"}))
			o.Service = s
			r, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			inPlace(t, exe, "1.0.0")
			runs(t, s, "1.0.0")
			if said := strings.Join(r.Notes, "\n"); at != prepared && !strings.Contains(said, "is undone") {
				t.Errorf("notes: %s", said)
			}
			if n, ok := LastNote(exe); at != prepared && (!ok || n.Outcome != CutShort || !strings.Contains(n.Reason, "is undone")) {
				t.Errorf("the host is told %+v", n)
			}
			o.File = next(t, program{Version: "3.0.0"})
			if _, err := Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			inPlace(t, exe, "3.0.0")
			runs(t, s, "3.0.0")
		})
	}
}

// What goes back by hand finds that its recovery has done so.
func TestGoingBackFromACrash(t *testing.T) {
	for _, at := range crashPhases {
		if at == prepared || at == swapping {
			continue // there is no former executable yet
		}
		t.Run(string(at), func(t *testing.T) {
			exe, s, _ := crashed(t, at, versionFor(at))
			o := options(exe, oldPath(exe))
			o.Service, o.Downgrade = s, true
			if r, err := Run(t.Context(), o); err != nil || !r.Replaced || !r.Restarted || r.From != "2.0.0" || r.To != "1.0.0" {
				t.Errorf("%+v, %v", r, err)
			}
			inPlace(t, exe, "1.0.0")
			runs(t, s, "1.0.0")
		})
	}
}

func TestUpgradeThatDidWellIsKept(t *testing.T) {
	exe, s, file := crashed(t, proving, program{Version: "2.0.0"})
	if err := s.Stop(t.Context()); err != nil { // somebody restarted it meanwhile
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := options(exe, file)
	o.Service = s
	r, err := Run(t.Context(), o)
	if err != nil || r.Replaced || !strings.Contains(strings.Join(r.Notes, "\n"), "is kept") {
		t.Errorf("%+v, %v", r, err)
	}
	inPlace(t, exe, "2.0.0")
}

func TestRecoveryKnowsItsService(t *testing.T) {
	exe, _, file := crashed(t, stopped, program{Version: "2.0.0"})
	o := options(exe, file)
	o.Service = nil
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), `service "svc"`) {
		t.Errorf("error %v", err)
	}
}

func TestStartOfTheServiceRecovers(t *testing.T) {
	for _, c := range []struct {
		at      phase
		version string
		outcome Outcome
		reason  string
		want    Resumed
	}{
		{prepared, "1.0.0", "", "", Resumed{}},
		{swapping, "1.0.0", CutShort, "is undone", Resumed{}},
		{proving, "2.0.0", CutShort, "is kept if this start succeeds", Resumed{Unproved: true}},
		{stopped, "2.0.0", CutShort, "is kept if this start succeeds", Resumed{Unproved: true}},
		{reverting, "1.0.0", Undone, "version 1.0.0 is in place again", Resumed{Restart: true}},
	} {
		t.Run(string(c.at), func(t *testing.T) {
			exe, _, _ := crashed(t, c.at, versionFor(c.at))
			r, err := AtStart(exe)
			if err != nil || r.Restart != c.want.Restart || r.Unproved != c.want.Unproved || (r.Note == nil) != (c.outcome == "") {
				t.Fatalf("%+v, %v", r, err)
			}
			if r.Note != nil {
				if n, ok := LastNote(exe); !ok || n != *r.Note || n.Outcome != c.outcome || n.From != "1.0.0" || n.To != "2.0.0" || !strings.Contains(n.Reason, c.reason) {
					t.Errorf("left %+v, told %+v", n, *r.Note)
				}
			}
			if r.Unproved {
				if !exists(journalPath(exe)) {
					t.Error("the journal is gone before the version has proved itself")
				}
				if err := Proved(exe); err != nil {
					t.Fatal(err)
				}
			}
			inPlace(t, exe, c.version)
			if r, err := AtStart(exe); err != nil || r != (Resumed{}) {
				t.Errorf("once more: %+v, %v", r, err)
			}
		})
	}
}

func TestStartDuringAnUpgradeTouchesNothing(t *testing.T) {
	exe, _ := rig(t, true)
	o := options(exe, next(t, program{Version: "2.0.0"}))
	o.at = func(p phase) {
		if r, err := AtStart(exe); err != nil || r != (Resumed{}) {
			t.Errorf("%s: %+v, %v", p, r, err)
		}
		if err := Proved(exe); err != nil || !exists(journalPath(exe)) {
			t.Errorf("%s: the journal is gone, %v", p, err)
		}
	}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func TestTornJournalIsReadToItsLastWholeLine(t *testing.T) {
	exe, s, file := crashed(t, proving, program{Version: "2.0.0"})
	f, err := os.OpenFile(journalPath(exe), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("\n{\"c\":\"00000000\",\"e\":{\"phase\":\"rev")
	if e := f.Close(); err != nil || e != nil {
		t.Fatal(err, e)
	}
	o := options(exe, file)
	o.Service = s
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	inPlace(t, exe, "2.0.0")
	runs(t, s, "2.0.0")
}

func TestFormerAndNextVersionKnowWhomTheyReplace(t *testing.T) {
	exe, _ := rig(t, false)
	for _, path := range []string{exe, oldPath(exe), newPath(exe)} {
		build(t, path, program{})
		out, err := exec.Command(path, "target").Output()
		if got := strings.TrimSuffix(string(out), "<nil>"); err != nil || !sameFile(t, got, exe) {
			t.Errorf("%s upgrades %q, %v", path, out, err)
		}
	}
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(x, y)
}
