package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain lets the test binary be the program itself.
func TestMain(m *testing.M) {
	if os.Getenv("PEERS_IS_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The program with the two contenders that are always there: that all of it works together, and that
// nothing stays behind. Figures are looked at only where they are no times.
func TestProgramMeasuresFloorAndHost(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real services")
	}
	dir := t.TempDir()
	host := filepath.Join(dir, "host")
	if out, err := exec.Command("go", "build", "-o", host, "servicehost").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	results, tables := filepath.Join(dir, "run.json"), filepath.Join(dir, "run.md")
	work, err := os.MkdirTemp("", "peers") // sockets are made below it, whose paths must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	cmd := exec.Command(os.Args[0], "-host", host, "-only", "floor,host", "-tests", "start,reload,stop,log,kill", "-sizes", "3", "-rounds", "1", "-settle", "200ms",
		"-lines", "2000", "-dir", work, "-json", results, "-markdown", tables)
	cmd.Env = append(os.Environ(), "PEERS_IS_PROGRAM=1")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	r, err := loadRun(results)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Results {
		if x.Error != "" {
			t.Errorf("%s of %s: %s", x.Test, x.Contender, x.Error)
		}
	}
	for _, name := range []string{"floor", "host"} {
		for _, want := range []struct {
			test   string
			n      int
			figure string
			value  float64
		}{{"reload", 3, "kept", 2}, {"log", 1, "lost", 0}, {"log", 20, "lost", 0}, {"log", 20, "torn", 0}} {
			if got := r.values(want.test, name, want.n, want.figure); len(got) != 1 || got[0] != want.value {
				t.Errorf("%s of %s: %s is %v, want %v", want.test, name, want.figure, got, want.value)
			}
		}
		if got := r.values("stop", name, 3, "ms"); len(got) != 1 {
			t.Errorf("%s did not stop: %s", name, &said)
		}
	}
	if got := r.values("kill", "host", 3, "children"); len(got) != 1 || got[0] != 0 {
		t.Errorf("children live on without host: %v", got)
	}
	if got := r.values("kill", "floor", 3, "children"); len(got) != 1 || got[0] != 3 {
		t.Errorf("nothing was there that could live on: %v", got)
	}
	if left, err := os.ReadDir(work); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if text, err := os.ReadFile(tables); err != nil || len(text) == 0 {
		t.Errorf("no tables: %v", err)
	}
}

func TestFlagsAreRefusedEarly(t *testing.T) {
	for _, args := range [][]string{
		{"-tests", "start,halt"}, {"-sizes", "10,many"}, {"-sizes", "0"}, {"-rounds", "0"}, {"start"}, {"-lines", "1"},
	} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	f, err := parse([]string{"-tests", "log", "-sizes", "1,10", "-only", "host"})
	if err != nil || len(f.sizes) != 2 || len(f.tests) != 1 || len(f.only) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestStatStandsAnyName(t *testing.T) {
	got, ok := parseStat([]byte("12 (a) Z (b)) S 7 12 12 0 -1 4194304 100 0 0 0 1 2 30 4 20 0 1 0 0"))
	if !ok || got.parent != 7 || got.dead || got.reaped.Milliseconds() != 340 {
		t.Errorf("%+v, %v", got, ok)
	}
	if got, ok := parseStat([]byte("12 (a) Z 7 12 12 0 -1 4194304 100 0 0 0 1 2 30 4 20")); !ok || !got.dead {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, broken := range []string{"", "12", "12 (a) S", "12 (a) S x 12 12 0 -1 4194304 100 0 0 0 1 2 30 4 20"} {
		if _, ok := parseStat([]byte(broken)); ok {
			t.Errorf("%q was read", broken)
		}
	}
}
