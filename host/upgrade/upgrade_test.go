package upgrade

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUpgradeRestartsAndKeepsTheFormer(t *testing.T) {
	exe, s := rig(t, true)
	if err := os.WriteFile(oldPath(exe), []byte("older still"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said []string
	o := options(exe, next(t, program{Version: "1.1.0"}))
	o.Service, o.Say = s, func(line string) { said = append(said, line) }
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.From != "1.0.0" || r.To != "1.1.0" || !r.Replaced || !r.Restarted || r.Old != oldPath(exe) || len(r.SHA256) != 64 {
		t.Errorf("result: %+v", r)
	}
	inPlace(t, exe, "1.1.0")
	runs(t, s, "1.1.0")
	if v, err := versionOf(t.Context(), oldPath(exe)); v != "1.0.0" {
		t.Errorf("the former is %q, %v", v, err)
	}
	if n := s.noted[len(s.noted)-1]; n.Outcome != Upgraded || n.Reason != "version 1.1.0, before 1.0.0" {
		t.Errorf("the new version was told %+v", n)
	}
	if len(said) < 4 {
		t.Errorf("it said %q", said)
	}
}

func TestUpgradeOfAStoppedServiceStartsNothing(t *testing.T) {
	exe, s := rig(t, false)
	o := options(exe, next(t, program{Version: "1.1.0"}))
	o.Service = s
	r, err := Run(t.Context(), o)
	if err != nil || !r.Replaced || r.Restarted || len(s.starts) > 0 {
		t.Errorf("%+v, %v, starts %v", r, err, s.starts)
	}
	inPlace(t, exe, "1.1.0")
}

func TestUpgradeWithoutServiceReplacesOnly(t *testing.T) {
	exe, _ := rig(t, false)
	o := options(exe, next(t, program{Version: "1.1.0"}))
	o.Service = nil
	if r, err := Run(t.Context(), o); err != nil || !r.Replaced || r.Restarted {
		t.Errorf("%+v, %v", r, err)
	}
	inPlace(t, exe, "1.1.0")
}

func TestUpgradeGoesBackByItself(t *testing.T) {
	for name, c := range map[string]struct {
		next program
		stop error
		why  string
	}{
		"dies at start":    {next: program{Dies: true}, why: "ended at once"},
		"never answers":    {next: program{Silent: true}, why: "did not answer"},
		"loses a service":  {next: program{Loses: true}, why: "did not bring back what ran before: api.2"},
		"can't be stopped": {next: program{}, stop: errors.New("access is denied"), why: "access is denied"},
	} {
		t.Run(name, func(t *testing.T) {
			exe, s := rig(t, true)
			c.next.Version = "2.0.0"
			s.stopErr = c.stop
			o := options(exe, next(t, c.next))
			o.Service, o.Timeout = s, 200*1e6
			_, err := Run(t.Context(), o)
			undone, ok := errors.AsType[*Reverted](err)
			if !ok || undone.From != "1.0.0" || undone.To != "2.0.0" || undone.Left != nil || !strings.Contains(err.Error(), c.why) {
				t.Fatalf("error %v", err)
			}
			inPlace(t, exe, "1.0.0")
			runs(t, s, "1.0.0")
			if n := s.noted[len(s.noted)-1]; n.Outcome != Undone || !strings.Contains(n.Reason, c.why) || !strings.HasSuffix(n.Reason, "; version 1.0.0 is back") {
				t.Errorf("the former version was told %+v", n)
			}
		})
	}
}

func TestInterruptedUpgradeGoesBack(t *testing.T) {
	exe, s := rig(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	o := options(exe, next(t, program{Version: "2.0.0", Silent: true}))
	o.Service = s
	o.at = func(p phase) {
		if p == stopped {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	inPlace(t, exe, "1.0.0")
	runs(t, s, "1.0.0")
}

func TestUpgradeIsRefusedWithNothingChanged(t *testing.T) {
	for name, c := range map[string]struct {
		next   program
		change func(*Options)
		want   string
	}{
		"older":          {program{Version: "0.9.0"}, nil, "--allow-downgrade"},
		"refuses spec":   {program{Version: "2.0.0", Refuses: true}, nil, "services.yaml\":3: services.api: is of the past"},
		"other checksum": {program{Version: "2.0.0"}, func(o *Options) { o.SHA256 = strings.Repeat("a", 64) }, "damaged"},
		"no checksum":    {program{Version: "2.0.0"}, func(o *Options) { o.SHA256 = "abc" }, "is no SHA-256"},
		"no list":        {program{Version: "2.0.0"}, func(o *Options) { o.Checksums = filepath.Join(t.TempDir(), "none") }, "cannot read the checksums"},
		"no host":        {program{}, nil, "does not say its version"},
	} {
		t.Run(name, func(t *testing.T) {
			exe, s := rig(t, true)
			o := options(exe, next(t, c.next))
			o.Service = s
			if c.change != nil {
				c.change(&o)
			}
			r, err := Run(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), c.want) || r.Replaced {
				t.Errorf("%+v, %v", r, err)
			}
			inPlace(t, exe, "1.0.0")
			runs(t, s, "1.0.0")
			if exists(oldPath(exe)) || exists(notePath(exe)) || len(s.starts) > 0 {
				t.Error("something was changed")
			}
		})
	}
}

func TestSpecThatIsInvalidAnywayIsNoReason(t *testing.T) {
	exe, _ := rig(t, true)
	build(t, exe, program{Version: "1.0.0", Refuses: true})
	r, err := Run(t.Context(), options(exe, next(t, program{Version: "2.0.0", Refuses: true})))
	if err != nil || !r.Replaced || !strings.Contains(strings.Join(r.Notes, "\n"), "for the present version, too") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSameVersionIsNothingToDo(t *testing.T) {
	exe, s := rig(t, true)
	o := options(exe, next(t, program{Version: "1.0.0", Loses: true}))
	o.Service = s
	r, err := Run(t.Context(), o)
	if err != nil || r.Replaced || !strings.Contains(strings.Join(r.Notes, "\n"), "--force") {
		t.Errorf("%+v, %v", r, err)
	}
	inPlace(t, exe, "1.0.0")
	o.File, o.Force = next(t, program{Version: "1.0.0"}), true
	if r, err = Run(t.Context(), o); err != nil || !r.Replaced {
		t.Errorf("forced: %+v, %v", r, err)
	}
}

func TestDryRunTouchesNothing(t *testing.T) {
	exe, _ := rig(t, true)
	if err := os.Chmod(filepath.Dir(exe), 0o500); err != nil {
		t.Fatal(err)
	}
	o := options(exe, next(t, program{Version: "2.0.0"}))
	o.DryRun = true
	if r, err := Run(t.Context(), o); err != nil || r.Replaced || r.To != "2.0.0" {
		t.Errorf("%+v, %v", r, err)
	}
	inPlace(t, exe, "1.0.0")
	if err := os.Chmod(filepath.Dir(exe), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestSecondUpgradeWaitsForNobody(t *testing.T) {
	exe, _ := rig(t, true)
	o := options(exe, next(t, program{Version: "2.0.0"}))
	var inner error
	o.at = func(p phase) {
		if p == proving {
			_, inner = Run(t.Context(), options(exe, o.File))
		}
	}
	if _, err := Run(t.Context(), o); err != nil || !errors.Is(inner, errBusy) {
		t.Errorf("first %v, second %v", err, inner)
	}
	inPlace(t, exe, "2.0.0")
}

func TestRunningExecutableIsReplaced(t *testing.T) {
	exe, _ := rig(t, false)
	var last func()
	for _, version := range []string{"1.1.0", "1.2.0", "1.3.0"} {
		end := start(t, exe)
		o := options(exe, next(t, program{Version: version}))
		o.Service = nil
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		inPlace(t, exe, version)
		last = end
	}
	last()
}
