//go:build linux || darwin

package osservice

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPlistSaysWhatTheHostNeeds(t *testing.T) {
	for _, c := range []Config{orders(), awkward()} {
		text := plist(c)
		golden(t, c.Name+".plist", text)
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
		}
		if got := plistStart(text); got != c.Start {
			t.Errorf("start %q", got)
		}
	}
	v := plistValues(plist(orders()))
	want := []string{"Label", "ProgramArguments", "WorkingDirectory", "StandardErrorPath", "RunAtLoad", "KeepAlive", "ExitTimeOut"}
	if !slices.Equal(v.keys, want) || v.of["KeepAlive"] != "SuccessfulExit false" || v.of["ExitTimeOut"] != "71" ||
		v.of["ProgramArguments"] != "/usr/local/bin/host run --last-good --service orders -f /srv/orders/services.yaml" {
		t.Errorf("%q", v)
	}
}

func TestPlistKeepsWordsApart(t *testing.T) {
	c := awkward()
	if got, want := Words(plistValues(plist(c)).of["ProgramArguments"]), append([]string{c.Exe}, c.Args...); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// fakeLaunchd is a launchd of one daemon.
type fakeLaunchd struct {
	t               *testing.T
	calls           []string
	loaded, enabled bool
	pid             int
	exit            int // what the program ends with at once; 0: it runs
	broken          bool
}

func newFakeLaunchd(t *testing.T) (*fakeLaunchd, *launchd) {
	f, dir := &fakeLaunchd{t: t, enabled: true}, t.TempDir()
	return f, &launchd{dir: dir, launchctl: f.launchctl, root: true, front: func(name, text string) (front, error) {
		return &fakeFront{filepath.Join(dir, name+".plist"), text, &f.broken, func() {}}, nil
	}}
}

func (f *fakeLaunchd) launchctl(_ context.Context, args ...string) (string, error) {
	if args[0] != "print" {
		f.calls = append(f.calls, args[0])
	}
	switch args[0] {
	case "enable", "disable":
		f.enabled = args[0] == "enable"
	case "bootstrap":
		if !f.enabled {
			return "", errors.New("Bootstrap failed: 119: Service is disabled")
		}
		f.loaded = true
		if f.exit == 0 {
			f.pid = 4711
		}
	case "bootout":
		f.loaded, f.pid = false, 0
		return "", errors.New("Boot-out failed: 36: Operation now in progress")
	case "print":
		if !f.loaded {
			return "", errors.New(`Could not find service "orders" in domain for system`)
		}
		if f.pid == 0 {
			return fmt.Sprintf("system/orders = {\n\tstate = spawn scheduled\n\tlast exit code = %d\n\tspawn = {\n\t\tpid = 9\n\t}\n}\n", f.exit), nil
		}
		return fmt.Sprintf("system/orders = {\n\tactive count = 1\n\tstate = running\n\n\tpid = %d\n\tlast exit code = (never exited)\n}\n", f.pid), nil
	}
	return "", nil
}

func (f *fakeLaunchd) called(want ...string) {
	f.t.Helper()
	if !slices.Equal(f.calls, want) {
		f.t.Errorf("launchctl was asked %q, want %q", f.calls, want)
	}
	f.calls = nil
}

func TestLaunchdInstallsStartsStopsAndRemoves(t *testing.T) {
	f, l := newFakeLaunchd(t)
	if err := l.Start(t.Context(), "orders"); fmt.Sprintf("%T", err) != "*osservice.NotInstalled" {
		t.Fatal(err)
	}
	r, err := l.Install(t.Context(), orders())
	if err != nil || !r.Created {
		t.Fatalf("%+v, %v", r, err)
	}
	if st, err := l.Status(t.Context(), "orders"); err != nil || st.State != Stopped || st.Start != StartAuto || st.Account != "root" {
		t.Errorf("%+v, %v", st, err)
	}
	f.called("enable")
	for range 2 {
		if err := l.Start(t.Context(), "orders"); err != nil {
			t.Fatal(err)
		}
	}
	f.called("enable", "bootstrap")
	if st, err := l.Status(t.Context(), "orders"); err != nil || st.State != Running || st.PID != 4711 {
		t.Errorf("%+v, %v", st, err)
	}
	for range 2 {
		if err := l.Stop(t.Context(), "orders"); err != nil {
			t.Fatal(err)
		}
	}
	f.called("bootout")
	if err := l.Uninstall(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(l.dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLaunchdDaemonStartedByHandIsNotLoadedWithTheSystem(t *testing.T) {
	f, l := newFakeLaunchd(t)
	c := orders()
	c.Start = StartManual
	if _, err := l.Install(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := l.Start(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	f.called("disable", "enable", "bootstrap", "disable")
	if f.enabled {
		t.Error("it is loaded with the system")
	}
	c.Start = StartDisabled
	if r, err := l.Install(t.Context(), c); err != nil || !slices.Equal(r.Changed, []string{"start: manual → disabled"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := l.Start(t.Context(), "orders"); err == nil || !strings.Contains(err.Error(), "it is disabled") {
		t.Error(err)
	}
}

func TestLaunchdSaysWhatItCanNot(t *testing.T) {
	f, l := newFakeLaunchd(t)
	c := orders()
	c.Start, c.Dependencies, c.Password = StartDelayed, []string{"db"}, "x"
	if r, err := l.Install(t.Context(), c); err != nil || len(r.Warnings) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	f.exit = 2
	if err := l.Start(t.Context(), "orders"); err == nil || !strings.Contains(err.Error(), "exit code 2") {
		t.Error(err)
	}
	if st, err := l.Status(t.Context(), "orders"); err != nil || st.State != Failed || st.PID != 0 || st.ExitCode != 2 {
		t.Errorf("%+v, %v", st, err)
	}
	if err := os.WriteFile(l.path("other"), []byte("<plist/>"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.Name = "other"
	if _, err := l.Install(t.Context(), c); err == nil || !strings.Contains(err.Error(), "choose another name") {
		t.Error(err)
	}
	if err := l.Stop(t.Context(), "other"); err == nil || !strings.Contains(err.Error(), "not installed by host") {
		t.Error(err)
	}
	f.broken, c.Name = true, "third"
	if _, err := l.Install(t.Context(), c); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(l.path("third")); err == nil {
		t.Error("half an install is left")
	}
	l.root = false
	for name, do := range map[string]func(context.Context, string) error{"uninstall": l.Uninstall, "stop": l.Stop} {
		if err := do(t.Context(), "orders"); err == nil || !strings.Contains(err.Error(), "sudo") {
			t.Error(name, err)
		}
	}
}
