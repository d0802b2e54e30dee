package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
)

// gzipped is how every profile begins but a trace.
const gzipped = "\x1f\x8b"

func TestMetricsArePrinted(t *testing.T) {
	runDir(t)
	serve(t, &fakeHost{}, "orders-01", "services.yaml")
	if r := invoke("metrics"); r.code != 0 || !strings.Contains(r.stdout, "\nservicehost_service_up 1\n") {
		t.Errorf("exit %d, %q, %q", r.code, r.stdout, r.stderr)
	}
	if r := invoke("metrics", "-o", "json"); r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, `"hint"`) {
		t.Errorf("as JSON: exit %d, %q, %q", r.code, r.stdout, r.stderr)
	}
}

func TestMetricsAndProfilesNeedAHost(t *testing.T) {
	runDir(t)
	for _, args := range [][]string{{"metrics"}, {"pprof", "heap"}, {"pprof", "heap", "--out", "heap.pprof"}} {
		if r := invoke(args...); r.code != exitNoHost {
			t.Errorf("%v: exit %d, %q", args, r.code, r.stderr)
		}
	}
	if _, err := os.Stat("heap.pprof"); err == nil {
		t.Error("a file was made without a host")
	}
}

func TestEveryProfileComesFromTheHost(t *testing.T) {
	if names := slices.Sorted(func(yield func(string) bool) {
		for name := range control.Profiles {
			if !yield(name) {
				return
			}
		}
	}); !slices.Equal(names, slices.Sorted(slices.Values(profileNames))) {
		t.Fatalf("the help has %v, the client knows %v", profileNames, names)
	}
	runDir(t)
	serve(t, &fakeHost{}, "orders-01", "services.yaml")
	for _, name := range profileNames {
		want := gzipped
		if name == "trace" {
			want = "go 1."
		}
		if r := invoke("pprof", name, "--seconds", "1"); r.code != 0 || !strings.HasPrefix(r.stdout, want) {
			t.Errorf("%s: exit %d, %q, %.20q", name, r.code, r.stderr, r.stdout)
		}
	}
}

func TestProfileGoesToANewFile(t *testing.T) {
	runDir(t)
	serve(t, &fakeHost{}, "orders-01", "services.yaml")
	r := invoke("pprof", "heap", "--out", "heap.pprof")
	first, err := os.ReadFile("heap.pprof")
	if r.code != 0 || err != nil || !bytes.HasPrefix(first, []byte(gzipped)) || !strings.Contains(r.stdout, "go tool pprof -http : heap.pprof") {
		t.Fatalf("exit %d, %q, %q, %v", r.code, r.stdout, r.stderr, err)
	}
	if err := os.WriteFile("heap.pprof", []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := invoke("pprof", "heap", "--out", "heap.pprof"); r.code != 1 || !strings.Contains(r.stderr, "--force") {
		t.Errorf("over another file: exit %d, %q", r.code, r.stderr)
	}
	if b, _ := os.ReadFile("heap.pprof"); string(b) != "mine" {
		t.Errorf("the file holds %.20q", b)
	}
	r = invoke("pprof", "heap", "--out", "heap.pprof", "--force", "-o", "json")
	var said writtenProfile
	if err := json.Unmarshal([]byte(r.stdout), &said); err != nil || said.Profile != "heap" || said.File != "heap.pprof" {
		t.Errorf("exit %d, %q, %q, %v", r.code, r.stdout, r.stderr, err)
	}
	if info, err := os.Stat("heap.pprof"); err != nil || info.Size() != said.Bytes || said.Bytes < 100 {
		t.Errorf("%v, said %+v", err, said)
	}
	if r := invoke("pprof", "heap", "--out", filepath.Join("none", "heap.pprof")); r.code != 1 || !strings.Contains(r.stderr, "cannot write ") {
		t.Errorf("into no folder: exit %d, %q", r.code, r.stderr)
	}
	if left, _ := filepath.Glob(".host-pprof-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestProfileIsNotWrittenToATerminal(t *testing.T) {
	runDir(t)
	serve(t, &fakeHost{}, "orders-01", "services.yaml")
	for out, want := range map[string]string{"": "host-heap-20260301-120000.pprof", "-": ""} {
		var stdout bytes.Buffer
		a := &app{Program: Program{Stdout: &stdout, Stderr: &bytes.Buffer{}}, out: terminal{file: os.Stdout}}
		a.now = func() time.Time { return now }
		if err := a.profile(context.Background(), "heap", profileFlags{seconds: 1, out: out}); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if !strings.HasPrefix(stdout.String(), gzipped) {
				t.Errorf("asked for standard output: %.20q", stdout.String())
			}
			continue
		}
		if b, err := os.ReadFile(want); err != nil || !bytes.HasPrefix(b, []byte(gzipped)) || !strings.Contains(stdout.String(), want) {
			t.Errorf("%v, %q", err, stdout.String())
		}
	}
}

func TestProfileRefusesWhatMakesNoSense(t *testing.T) {
	runDir(t)
	for _, args := range [][]string{{"pprof"}, {"pprof", "heap", "cpu"}, {"pprof", "memory"}, {"pprof", "cpu", "--seconds", "0"}, {"pprof", "cpu", "--seconds", "9999"}} {
		if r := invoke(args...); r.code != 1 || r.stderr == "" {
			t.Errorf("%v: exit %d, %q", args, r.code, r.stderr)
		}
	}
}
