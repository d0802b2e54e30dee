package upgrade

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// program says what a copy of the test binary is: one version of the host. It stands behind the end of the
// executable, where neither Windows nor Unix looks.
type program struct {
	Version string
	Refuses bool // the present spec
	Silent  bool // it runs and does not answer
	Dies    bool // at its start
	Loses   bool // a service
}

const mark = "\n#program "

func programOf(path string) (p program, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return p, false
	}
	i := bytes.LastIndex(b[max(0, len(b)-500):], []byte(mark))
	if i < 0 {
		return p, false
	}
	return p, json.Unmarshal(b[max(0, len(b)-500)+i+len(mark):], &p) == nil
}

func TestMain(m *testing.M) {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	if p, ok := programOf(exe); ok {
		os.Exit(p.main(os.Args[1:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "crash" {
		os.Exit(crash(os.Args[2], os.Args[3], os.Args[4]))
	}
	// Under the race detector each version would sleep for a second before it ends.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// main is the command line of a version, and a program that goes on until its input ends.
func (p program) main(args []string) int {
	switch args[0] {
	case "version":
		fmt.Printf(`{"version":%q,"go":"go1.26"}`, p.Version)
	case "validate":
		if p.Refuses {
			fmt.Print(`{"valid":false,"problems":[{"file":"services.yaml","line":3,"path":"services.api","message":"is of the past"}]}`)
			return 1
		}
		fmt.Print(`{"valid":true,"problems":[]}`)
	case "target":
		exe, err := Target()
		fmt.Print(exe, err)
	case "run":
		fmt.Println("up")
		_, _ = os.Stdin.Read(make([]byte, 1))
	}
	return 0
}

// crash begins an upgrade and ends without a word when it comes to the phase.
func crash(at, exe, file string) int {
	o := options(exe, file)
	o.at = func(p phase) {
		if string(p) == at {
			os.Exit(7)
		}
	}
	_, err := Run(context.Background(), o)
	fmt.Println("it came to its end:", err)
	return 1
}

func options(exe, file string) Options {
	return Options{
		Exe: exe, File: file, Validate: []string{"validate"}, Service: &fakeService{exe: exe}, ServiceName: "svc",
		Timeout: 5 * time.Second, steady: 20 * time.Millisecond, poll: 5 * time.Millisecond,
	}
}

// fakeService is a service manager with one service. What it runs is kept in a file, as the manager goes on
// when an upgrade dies.
type fakeService struct {
	exe     string
	stopErr error
	starts  []string
	noted   []Note // that the started ones found
}

func (s *fakeService) state() string { return filepath.Join(filepath.Dir(s.exe), "running") }

func (s *fakeService) Stop(context.Context) error {
	if s.stopErr != nil {
		return s.stopErr
	}
	if err := os.Remove(s.state()); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

func (s *fakeService) Start(context.Context) error {
	p, ok := programOf(s.exe)
	s.starts = append(s.starts, p.Version)
	n, _ := LastNote(s.exe)
	s.noted = append(s.noted, n)
	if !ok || p.Dies {
		return errors.New("the service ended at once")
	}
	b, _ := json.Marshal(p)
	return os.WriteFile(s.state(), b, 0o600)
}

func (s *fakeService) Look(context.Context) Look {
	var p program
	b, err := os.ReadFile(s.state())
	if err != nil {
		return Look{Down: "it is stopped"}
	}
	if err := json.Unmarshal(b, &p); err != nil || p.Silent {
		return Look{Silent: "nobody answers"}
	}
	all := []string{"api.1", "api.2"}
	if p.Loses {
		all = all[:1]
	}
	return Look{Version: p.Version, Running: all, Well: append(all, "idle")}
}

// rig is a folder with an executable in place, and whether its service runs.
func rig(t *testing.T, running bool) (exe string, s *fakeService) {
	t.Helper()
	exe = filepath.Join(t.TempDir(), "host.exe")
	build(t, exe, program{Version: "1.0.0"})
	s = &fakeService{exe: exe}
	if running {
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.starts = nil
	}
	return exe, s
}

// build writes a version of the host.
func build(t *testing.T, path string, p program) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	tail, _ := json.Marshal(p)
	if err := os.WriteFile(path, append(append(b, mark...), tail...), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// next is a version that is to be installed.
func next(t *testing.T, p program) string {
	t.Helper()
	return build(t, filepath.Join(t.TempDir(), "next.exe"), p)
}

// inPlace fails unless the executable is there, runs, and is that version; no more than the former one and
// no journal may lie beside it.
func inPlace(t *testing.T, exe, version string) {
	t.Helper()
	got, err := versionOf(t.Context(), exe)
	if err != nil || got != version {
		t.Errorf("version %q is in place, %v; want %s", got, err, version)
	}
	for _, path := range []string{newPath(exe), journalPath(exe)} {
		if exists(path) {
			t.Errorf("%s was left behind", path)
		}
	}
}

func runs(t *testing.T, s *fakeService, version string) {
	t.Helper()
	if l := s.Look(t.Context()); l.Version != version {
		t.Errorf("version %q runs, want %q: %+v", l.Version, version, l)
	}
}
