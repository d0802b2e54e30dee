package osservice

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeSystemd is a systemd of one unit: systemctl, and the front that writes the file.
type fakeSystemd struct {
	t       *testing.T
	dir     string
	calls   []string
	props   map[string]string
	fail    map[string]string // verb → what systemctl says
	broken  bool              // the front fails
	enabled bool
}

func newFake(t *testing.T) (*fakeSystemd, *systemd) {
	f := &fakeSystemd{t: t, dir: t.TempDir(), props: map[string]string{}, fail: map[string]string{}}
	return f, &systemd{dir: f.dir, systemctl: f.systemctl, root: true, front: func(name, unit string) (front, error) {
		return &fakeFront{filepath.Join(f.dir, unitName(name)), unit, &f.broken, func() { f.enabled = true }}, nil
	}}
}

func (f *fakeSystemd) systemctl(_ context.Context, args ...string) (string, error) {
	args = slices.DeleteFunc(args, func(a string) bool { return a == "--no-ask-password" })
	verb := args[0]
	if verb != "show" {
		f.calls = append(f.calls, strings.Join(args, " "))
	}
	if text := f.fail[verb]; text != "" {
		return "", errors.New(text)
	}
	switch verb {
	case "enable", "disable":
		f.enabled = verb == "enable"
	case "start":
		f.props["ActiveState"], f.props["MainPID"] = "active", "4711"
	case "stop":
		f.props["ActiveState"], f.props["MainPID"] = "inactive", "0"
	case "show":
		state := "disabled"
		if f.enabled {
			state = "enabled"
		}
		out := "UnitFileState=" + state + "\n"
		for _, k := range slices.Sorted(maps.Keys(f.props)) {
			out += k + "=" + f.props[k] + "\n"
		}
		return out, nil
	}
	return "", nil
}

func (f *fakeSystemd) called(want ...string) {
	f.t.Helper()
	if !slices.Equal(f.calls, want) {
		f.t.Errorf("systemctl was asked %q, want %q", f.calls, want)
	}
	f.calls = nil
}

func (f *fakeSystemd) text(name string) string {
	b, err := os.ReadFile(filepath.Join(f.dir, unitName(name)))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

func TestInstallCreatesThenChangesWhatDiffers(t *testing.T) {
	f, s := newFake(t)
	c := orders()
	r, err := s.Install(t.Context(), c)
	if err != nil || !r.Created || len(r.Changed) > 0 || len(r.Warnings) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if f.text("orders") != unit(c) || !f.enabled {
		t.Error(f.text("orders"))
	}
	f.called()

	r, err = s.Install(t.Context(), c)
	if err != nil || r.Created || len(r.Changed) > 0 {
		t.Fatalf("the second time: %+v, %v", r, err)
	}
	f.called()

	c.Description, c.Start, c.Password = "Other words", StartManual, "x"
	r, err = s.Install(t.Context(), c)
	if err != nil || r.Created || !slices.Equal(r.Changed, []string{"description: Keeps the orders running → Other words", "start: auto → manual"}) {
		t.Fatalf("the third time: %+v, %v", r, err)
	}
	if len(r.Warnings) != 1 || f.text("orders") != unit(c) || f.enabled {
		t.Errorf("%+v, enabled %v", r, f.enabled)
	}
	f.called("daemon-reload", "disable orders.service")

	c.Start = StartDelayed
	r, err = s.Install(t.Context(), c)
	if err != nil || !slices.Equal(r.Changed, []string{"start: manual → auto"}) || len(r.Warnings) != 2 || !f.enabled {
		t.Fatalf("delayed: %+v, %v", r, err)
	}
	left, err := os.ReadDir(f.dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestInstallTouchesNothingOfOthers(t *testing.T) {
	f, s := newFake(t)
	path := filepath.Join(f.dir, "orders.service")
	if err := os.WriteFile(path, []byte("[Service]\nExecStart=/usr/sbin/orders\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), orders()); err == nil || !strings.Contains(err.Error(), "choose another name") {
		t.Error(err)
	}
	for name, do := range map[string]func(context.Context, string) error{"uninstall": s.Uninstall, "start": s.Start, "stop": s.Stop} {
		if err := do(t.Context(), "orders"); err == nil || !strings.Contains(err.Error(), "not installed by host") {
			t.Error(name, err)
		}
	}
	f.called()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f.props["FragmentPath"] = "/lib/systemd/system/orders.service"
	if _, err := s.Install(t.Context(), orders()); err == nil || !strings.Contains(err.Error(), "/lib/systemd/system/orders.service") {
		t.Error(err)
	}
}

func TestInstallThatFailsLeavesNothing(t *testing.T) {
	f, s := newFake(t)
	f.broken, f.fail["enable"] = true, "Failed to enable unit: Read-only file system"
	_, err := s.Install(t.Context(), orders())
	if err == nil || err.Error() != `cannot install service "orders": Failed to enable unit: Read-only file system` {
		t.Error(err)
	}
	if left, err := os.ReadDir(f.dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	f.called("enable orders.service", "daemon-reload")
}

func TestInstallRefusesInWords(t *testing.T) {
	_, s := newFake(t)
	no := func(want string, change func(*Config)) {
		t.Helper()
		c := orders()
		change(&c)
		if _, err := s.Install(t.Context(), c); err == nil || !strings.HasPrefix(err.Error(), `cannot install service "orders": `) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	no(`no user "nobody-knows"`, func(c *Config) { c.Account = "nobody-knows" })
	no("unit to depend on", func(c *Config) { c.Dependencies = []string{"a b"} })
	no("line break", func(c *Config) { c.Dir = "/a\n[Service]" })
	s.root = false
	no("run it with sudo", func(*Config) {})
}

func TestUninstallStopsAndRemoves(t *testing.T) {
	f, s := newFake(t)
	if err := s.Uninstall(t.Context(), "orders"); fmt.Sprintf("%T", err) != "*osservice.NotInstalled" {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), orders()); err != nil {
		t.Fatal(err)
	}
	s.root = false
	if err := s.Uninstall(t.Context(), "orders"); err == nil || !strings.Contains(err.Error(), "sudo") {
		t.Error(err)
	}
	s.root = true
	f.broken, f.fail["disable"] = true, "Failed to disable"
	if err := s.Uninstall(t.Context(), "orders"); err == nil || !strings.Contains(err.Error(), "Failed to disable") {
		t.Error(err)
	}
	f.called("stop orders.service", "disable orders.service")
	f.broken = false
	if err := s.Uninstall(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	f.called("stop orders.service", "reset-failed orders.service")
	if left, err := os.ReadDir(f.dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestStartOfAStartedServiceDoesNothing(t *testing.T) {
	f, s := newFake(t)
	if _, err := s.Install(t.Context(), orders()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Start(t.Context(), "orders"); err != nil {
			t.Fatal(err)
		}
	}
	f.called("reset-failed orders.service", "start orders.service")
	if st, err := s.Status(t.Context(), "orders"); err != nil || st.State != Running || st.PID != 4711 || st.Start != StartAuto || st.Account != "root" {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestFailedStartSaysWhy(t *testing.T) {
	f, s := newFake(t)
	if _, err := s.Install(t.Context(), orders()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		says   string
		props  map[string]string
		expect string
	}{
		{"Job for orders.service failed.", map[string]string{"Result": "exit-code", "ExecMainStatus": "2"}, "the spec is invalid"},
		{"Job for orders.service failed.", map[string]string{"Result": "start-limit-hit"}, "too often in a row"},
		{"Interactive authentication required.", nil, "run it with sudo"},
		{"Operation refused, unit orders.service may be requested by dependency only", nil, "--start auto"},
		{"Unit postgresql.service not found.", map[string]string{"Result": "success"}, "postgresql.service not found"},
	} {
		f.fail["start"], f.props = tt.says, map[string]string{"ActiveState": "failed"}
		maps.Copy(f.props, tt.props)
		if err := s.Start(t.Context(), "orders"); err == nil || !strings.HasPrefix(err.Error(), `cannot start service "orders": `) || !strings.Contains(err.Error(), tt.expect) {
			t.Errorf("%q: %v", tt.says, err)
		}
	}
}

func TestStatusIsInTheWordsOfAllManagers(t *testing.T) {
	f, s := newFake(t)
	if _, err := s.Install(t.Context(), orders()); err != nil {
		t.Fatal(err)
	}
	status := func(props string) Status {
		t.Helper()
		f.props = map[string]string{}
		for p := range strings.SplitSeq(props, "|") {
			k, v, _ := strings.Cut(p, "=")
			f.props[k] = v
		}
		st, err := s.Status(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	exec := "{ path=/usr/local/bin/host ; argv[]=/usr/local/bin/host run -f /a ; b.yaml ; ignore_errors=no ; start_time=[n/a] ; pid=0 }"
	want := Status{Name: "orders", State: Running, PID: 12, Start: StartAuto, Account: "ops", Command: "/usr/local/bin/host run -f /a ; b.yaml", Detail: "2 services, 2 as desired"}
	if got := status("ActiveState=active|MainPID=12|User=ops|ExecStart=" + exec + "|StatusText=2 services, 2 as desired|Result=success"); got != want {
		t.Errorf("%+v", got)
	}
	// The unit file knows where a word ends; systemd tells them with blanks between.
	c := awkward()
	c.Args = slices.DeleteFunc(c.Args, func(a string) bool { return strings.Contains(a, "\n") }) // show has a line for each
	words := append([]string{c.Exe}, c.Args...)
	_, shown := parsedCommand(commandLine(c.Exe, c.Args))
	if err := os.WriteFile(filepath.Join(f.dir, "orders.service"), []byte(unit(c)), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := status("ActiveState=inactive|ExecStart={ path=/usr/local/bin/host ; argv[]=" + shown + " ; ignore_errors=no ; start_time=[n/a] }"); !slices.Equal(Words(got.Command), words) {
		t.Errorf("%q, want %q", Words(got.Command), words)
	}
	if got := status("ActiveState=reloading"); got.State != Running {
		t.Errorf("%+v", got)
	}
	if got := status("ActiveState=deactivating|StatusText=stopping, 3 services left"); got.State != Stopping || got.Detail != "stopping, 3 services left" {
		t.Errorf("%+v", got)
	}
	if got := status("ActiveState=activating|SubState=auto-restart|Result=exit-code|ExecMainCode=1|ExecMainStatus=1"); got.State != Starting || got.ExitCode != 1 || got.Detail != "it ended with exit code 1" {
		t.Errorf("%+v", got)
	}
	if got := status("ActiveState=failed|Result=watchdog|ExecMainCode=3|ExecMainStatus=6"); got.State != Failed || got.ExitCode != 134 || !strings.Contains(got.Detail, "watchdog") {
		t.Errorf("%+v", got)
	}
	if got := status("ActiveState=inactive|RefuseManualStart=yes"); got.State != Stopped || got.Start != StartDisabled {
		t.Errorf("%+v", got)
	}
}
