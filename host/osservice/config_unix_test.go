//go:build linux || darwin

package osservice

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

func orders() Config {
	return Config{
		Name: "orders", DisplayName: "Orders", Description: "Keeps the orders running", Exe: "/usr/local/bin/host",
		Args: []string{"run", "--last-good", "--service", "orders", "-f", "/srv/orders/services.yaml"},
		Dir:  "/srv/orders", Start: StartAuto, StopBudget: 70*time.Second + time.Millisecond,
	}
}

// awkward is a Config in which everything that systemd gives a meaning to stands for itself.
func awkward() Config {
	c := orders()
	c.Name, c.Description = "awkward", "100 % \"of\" it\nall \\"
	c.Args = append(c.Args, "--set", `A=$HOME ${X} %i "x" 'y' \ ; & #`, "--set", "B=two\nlines\ttab", "--set", "C=", "-f", "/srv/a b/100%/$x.yaml", "--set", "D=工作")
	c.Dir, c.Account, c.Dependencies = "/srv/a b/100%", "daemon", []string{"postgresql", "remote-fs.target"}
	c.Start = StartDisabled
	return c
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("not as in %s; look at it and write it anew with: go test ./host/osservice -update\n%s", path, got)
	}
}

// fakeFront writes and removes the definition as kardianos/service does; broken, it fails half-way.
type fakeFront struct {
	path, text string
	broken     *bool
	installed  func()
}

func (f *fakeFront) Install() error {
	if err := os.WriteFile(f.path, []byte(f.text), 0o644); err != nil {
		return err
	}
	if *f.broken {
		return errors.New("exit status 1")
	}
	f.installed()
	return nil
}

func (f *fakeFront) Uninstall() error {
	if *f.broken {
		return errors.New("exit status 1")
	}
	return os.Remove(f.path)
}
