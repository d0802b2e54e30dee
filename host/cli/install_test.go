package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"servicehost/host/osservice"
)

// What was said at the install is said to the installed host, in an order that stays: else a second install
// would find a difference.
func TestInstalledHostIsStartedWithWhatWasSaid(t *testing.T) {
	a := &app{globals: globals{profiles: appended{"prod", "eu"}, set: assignments{"B": "2 3", "A": "x=y"}}}
	got := a.serviceArgs("orders", []string{"/srv/a.yaml", "/srv/b c.yaml"})
	want := []string{
		"run", "--last-good", "--service", "orders", "-f", "/srv/a.yaml", "-f", "/srv/b c.yaml",
		"--profile", "prod", "--profile", "eu", "--set", "A=x=y", "--set", "B=2 3",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// The program itself understands it.
	root := newRoot(&app{globals: globals{output: choice{value: "text", allowed: []string{"text", "json"}}}}, "")
	cmd, flags, err := root.Traverse(got)
	if err != nil || cmd.Name() != "run" {
		t.Fatal(cmd.Name(), err)
	}
	if err := cmd.ParseFlags(flags); err != nil {
		t.Fatal(err)
	}
	if name := cmd.Flag("service").Value.String(); name != "orders" {
		t.Errorf("service %q", name)
	}
}

func TestInstallLoadsTheSpecAsTheServiceWill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "services.yaml")
	if err := os.WriteFile(file, []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{globals: globals{set: assignments{"TOKEN": "x"}}}
	s, warnings, err := a.specToInstall("orders", []string{file})
	if err != nil || filepath.Base(s.Host.StateDir) != "orders" {
		t.Fatalf("%v, %v", s, err)
	}
	if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, "--set") }) {
		t.Errorf("%q", warnings)
	}
	if s, _, err = a.specToInstall(osservice.DefaultName, []string{file}); err != nil || filepath.Base(s.Host.StateDir) != s.Host.Name {
		t.Fatalf("%v, %v", s, err)
	}
}

func TestInstallSaysWhatItDid(t *testing.T) {
	for _, tt := range []struct {
		r    installed
		want string
	}{
		{installed{Name: "orders", Created: true}, "service \"orders\" is installed\nstart it with: host daemon start --name orders\n"},
		{installed{Name: "servicehost", Created: true, Warnings: []string{"beware"}}, "service \"servicehost\" is installed\nwarning: beware\nstart it with: host daemon start\n"},
		{installed{Name: "servicehost"}, "service \"servicehost\" is installed so already\n"},
		{installed{Name: "servicehost", Changed: []string{"start: auto → manual"}}, "service \"servicehost\" is changed:\n  start: auto → manual\nrestart it with: host daemon restart\n"},
	} {
		var out bytes.Buffer
		a := &app{Program: Program{Stdout: &out}}
		a.showInstalled(tt.r)
		if out.String() != tt.want {
			t.Errorf("%q, want %q", out.String(), tt.want)
		}
	}
}

func TestPasswordIsTheFirstLine(t *testing.T) {
	for in, want := range map[string]string{"secret\n": "secret", "secret\r\nmore": "secret", " a b ": " a b ", "": "", "\n": ""} {
		got, err := firstLine(strings.NewReader(in))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestMissingServiceIsExitCode4(t *testing.T) {
	err := error(&osservice.NotInstalled{Name: "orders"})
	if code := exitCode(t.Context(), errors.Join(errors.New("x"), err)); code != exitNoHost {
		t.Error(code)
	}
}

func TestServiceNamesFitEverySystem(t *testing.T) {
	for name, fits := range map[string]bool{"": true, "orders-01": true, "Orders.EU_1": true, "a b": false, "-a": false, ".a": false, "a/b": false, "ü": false, strings.Repeat("x", 65): false} {
		a := &app{globals: globals{name: name}}
		if got, err := a.serviceName(); (err == nil) != fits || fits && name != "" && got != name {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}
