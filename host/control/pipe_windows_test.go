package control

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestPipeIsForThoseItNamesOnly(t *testing.T) {
	me, err := currentUser()
	if err != nil {
		t.Fatal(err)
	}
	group, err := windows.CreateWellKnownSid(windows.WinBuiltinUsersSid)
	if err != nil {
		t.Fatal(err)
	}
	got := policy{owner: me, group: group}.sddl()
	want := "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + me.String() + ")(A;;0x12019b;;;" + group.String() + ")"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := windows.SecurityDescriptorFromString(got); err != nil {
		t.Error(err)
	}
	if alone := (policy{owner: me}).sddl(); strings.Contains(alone, "0x12019b") {
		t.Errorf("without a group: %s", alone)
	}
}

func TestRunDirLiesInProgramData(t *testing.T) {
	base := tempDir(t)
	t.Setenv(runDirVariable, "")
	t.Setenv("ProgramData", base)
	t.Setenv("LOCALAPPDATA", filepath.Join(base, "local"))
	want := filepath.Join(base, "servicehost", "run")
	if !windows.GetCurrentProcessToken().IsElevated() {
		want = filepath.Join(base, "local", "servicehost", "run")
	}
	got, err := runDir()
	if err != nil || got != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
	if dirs := lookupDirs(); len(dirs) != 1 || dirs[0] != want {
		t.Errorf("looked up in %v", dirs)
	}
	if again, err := runDir(); err != nil || again != got {
		t.Errorf("the second time %q, %v", again, err)
	}
}

func TestCanonicalIgnoresCaseAndSlashes(t *testing.T) {
	dir := tempDir(t)
	a, b := Canonical(filepath.Join(dir, "Services.yaml")), Canonical(strings.ToUpper(filepath.ToSlash(dir))+"/SERVICES.YAML")
	if a != b {
		t.Errorf("%q and %q", a, b)
	}
}
