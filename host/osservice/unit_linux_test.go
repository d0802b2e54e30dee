package osservice

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

func TestUnitSaysWhatTheHostNeeds(t *testing.T) {
	golden(t, "orders.service", unit(orders()))
	golden(t, "awkward.service", unit(awkward()))
}

// systemd itself reads the units without a word of complaint.
func TestUnitIsVerifiedBySystemd(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("systemd-analyze is not there; .ci/run installs it")
		}
		t.Skip("systemd-analyze is not there")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{orders(), awkward()} {
		c.Exe = exe // it has to exist
		c.Dependencies = slices.DeleteFunc(c.Dependencies, func(n string) bool { return n == "postgresql" })
		path := filepath.Join(t.TempDir(), unitName(c.Name))
		if err := os.WriteFile(path, []byte(unit(c)), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), verify, "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", c.Name, err, out)
		}
	}
	// And it would complain.
	path := filepath.Join(t.TempDir(), "bad.service")
	if err := os.WriteFile(path, []byte("[Service]\nExecStart="+exe+"\nTypo=notify\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), verify, "verify", "--man=no", path).CombinedOutput(); err == nil && len(out) == 0 {
		t.Error("a unit with an unknown key passed")
	}
}

func TestUnitChangesAreToldInWords(t *testing.T) {
	was := orders()
	is := was
	is.StopBudget, is.Account, is.Dependencies = 100*time.Second, "nobody", []string{"postgresql"}
	is.Args = append(slices.Clone(is.Args), "--profile", "prod")
	got := unitChanges(unit(was), unit(is))
	want := []string{
		"dependencies: none → postgresql.service",
		"order: network.target → network.target postgresql.service",
		"command: /usr/local/bin/host run --last-good --service orders -f /srv/orders/services.yaml → " +
			"/usr/local/bin/host run --last-good --service orders -f /srv/orders/services.yaml --profile prod",
		"account: none → nobody",
		"stop timeout in s: 71 → 100",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := unitChanges(unit(is), unit(was)); !slices.Contains(got, "account: nobody → none") {
		t.Errorf("%q", got)
	}
	if got := unitChanges(unit(is), unit(is)); got != nil {
		t.Errorf("%q", got)
	}
}
