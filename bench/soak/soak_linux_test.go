package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/host/cli"
	"servicehost/host/process"
	"servicehost/host/thresholds"
)

// roleHost as the first argument makes the test binary the host that is driven.
const roleHost = "soak-host"

func TestMain(m *testing.M) {
	args := os.Args[1:]
	for _, helper := range []func([]string) (bool, int){process.HelperMain, thresholds.HelperMain} {
		if handled, code := helper(args); handled {
			os.Exit(code)
		}
	}
	if len(args) > 0 {
		switch args[0] {
		case roleHost:
			os.Exit(cli.Execute(cli.Program{Version: "dev", Args: args[1:], Stdout: os.Stdout, Stderr: os.Stderr}))
		case roleChild:
			os.Exit(child(args[1:]))
		}
	}
	os.Exit(m.Run())
}

// The short form of the soak: everything that it does and judges but memory, which needs minutes of quiet.
func TestSoakLeavesNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("sixty services for half a minute")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o := options{
		// The cgroup of a crashed run may stay for six seconds, and the last third of the quiet is judged.
		host: []string{exe, roleHost}, dir: t.TempDir(), out: &out, services: 60, length: 15 * time.Second, quiet: 9 * time.Second, every: 500 * time.Millisecond,
		edit: 300 * time.Millisecond, crash: 4 * time.Second, scrape: 2 * time.Second, seed: uint64(time.Now().UnixNano()),
	}
	faults, err := soak(t.Context(), o)
	t.Logf("%s", &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
	if t.Failed() {
		t.Logf("the host said:\n%s", lastLines(filepath.Join(o.dir, "host.out"), 60))
	}
}

func TestJudgeFindsWhatGrows(t *testing.T) {
	run := func(grow func(phase string, n int, s *sample)) []string {
		var all []sample
		for _, phase := range []string{phaseBefore, phaseNoise, phaseAfter} {
			for n := range 40 {
				s := sample{Phase: phase, RSS: 40 << 10, PSS: 30 << 10, GuardPSS: 3 << 10, Heap: 10 << 10, Goroutines: 500, Descriptors: 1000, Threads: 20, Cgroups: 400}
				if grow != nil {
					grow(phase, n, &s)
				}
				all = append(all, s)
			}
		}
		return judge(&bytes.Buffer{}, all, memoryQuiet)
	}
	if f := run(nil); len(f) > 0 {
		t.Errorf("what is flat is called grown: %v", f)
	}
	for want, grow := range map[string]func(string, int, *sample){
		"cgroups is 404": func(p string, _ int, s *sample) {
			if p == phaseAfter {
				s.Cgroups += 4
			}
		},
		"descriptors grew": func(p string, n int, s *sample) {
			if p == phaseNoise {
				s.Descriptors += 10 * n
			}
		},
		"descriptors is": func(p string, _ int, s *sample) {
			if p == phaseAfter {
				s.Descriptors += 4
			}
		},
		"threads grew": func(p string, n int, s *sample) {
			if p == phaseNoise {
				s.Threads += 2 * n
			}
		},
		"goroutines is": func(p string, _ int, s *sample) {
			if p == phaseAfter {
				s.Goroutines += 7
			}
		},
		"memory (PSS) grew": func(p string, n int, s *sample) {
			if p == phaseNoise {
				s.PSS += int64(n) << 9
			}
		},
		"Go heap is 20.0 at": func(p string, _ int, s *sample) {
			if p == phaseAfter {
				s.Heap *= 2
			}
		},
	} {
		if f := run(grow); len(f) != 1 || !strings.HasPrefix(f[0], want) {
			t.Errorf("%s: found %v", want, f)
		}
	}
}

func TestCountLinesFindsWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{ledgerDir, "counted"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, lines ...string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ledger/counted-001.1-7-8", "3")
	older := []string{"counted-001 is up", "counted-001 can't start", "counted-001.1-7-8 0 x", "counted-001.1-7-8 1 x"}
	write("counted/counted-001.1-20260101T000000.000Z.log", older...)
	write("counted/counted-001.1.log", "counted-001.1-7-8 2 x")
	if n, f := countLines(dir); n != 3 || len(f) > 0 {
		t.Errorf("%d lines, %v", n, f)
	}
	write("counted/counted-001.1-20260101T000000.000Z.log", older[0], older[3])
	if _, f := countLines(dir); len(f) == 0 {
		t.Error("a line that is missing at the front is not found")
	}
	write("counted/counted-001.1-20260101T000000.000Z.log", older...)
	write("counted/counted-001.1.log", "counted-001 is up")
	if _, f := countLines(dir); len(f) != 1 || !strings.Contains(f[0], "wrote 3 lines, and 2 are") {
		t.Errorf("a line that is missing at the end: %v", f)
	}
}

// Edits are made of the model, so its text must be a spec at any time.
func TestModelAddsUpToTheServicesAskedFor(t *testing.T) {
	for _, n := range []int{60, 500} {
		m := newModel(options{services: n})
		if len(m.services) != n {
			t.Errorf("%d services instead of %d", len(m.services), n)
		}
		sum := 0
		for _, b := range behaviours {
			sum += b.share
		}
		if sum != 100 {
			t.Errorf("the shares add up to %d", sum)
		}
	}
}
