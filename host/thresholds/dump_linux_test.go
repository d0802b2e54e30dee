package thresholds

import (
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func runHere(ctx context.Context, argv []string) error {
	return exec.CommandContext(ctx, argv[0], argv[1:]...).Run()
}

func TestProcessIsWrittenByGcore(t *testing.T) {
	if _, err := exec.LookPath("gcore"); err != nil {
		t.Skip("gcore is not installed")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	dir := filepath.Join(t.TempDir(), "dumps")
	path, err := taken(t, NewDumper(dir, runHere, nil), Target{ID: "api", PID: child.Process.Pid})
	if err != nil && strings.Contains(err.Error(), "gcore failed") {
		t.Skip("this machine lets nobody trace: " + err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	core, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	if core.Type != elf.ET_CORE {
		t.Errorf("it is a %s", core.Type)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("there are %v %v", list, err)
	}
}

func TestMissingGcoreIsSaidWithWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := taken(t, NewDumper(filepath.Join(t.TempDir(), "dumps"), runHere, nil), Target{ID: "api", PID: os.Getpid()})
	if err == nil || err.Error() != "gcore is not installed; it comes with gdb; or use dump_url where the program hands out its heap" {
		t.Errorf("got %v", err)
	}
}

func TestWhatGcoreWritesElsewhereIsNotTaken(t *testing.T) {
	bin, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	script := "#!/bin/sh\nln -s " + secret + " \"$2.$3\"\n"
	if err := os.WriteFile(filepath.Join(bin, "gcore"), []byte(script), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	dir := filepath.Join(t.TempDir(), "dumps")
	if path, err := taken(t, NewDumper(dir, runHere, nil), Target{ID: "api", PID: 1}); err == nil {
		t.Errorf("a link is taken for a dump: %s", path)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("there are %v %v", list, err)
	}
}
