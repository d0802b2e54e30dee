package osservice

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

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
