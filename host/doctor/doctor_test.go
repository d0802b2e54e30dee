package doctor

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/spec"
)

// TestMain lets this binary be a program that services of the tests run: it listens, or tells a version.
func TestMain(m *testing.M) {
	switch os.Getenv("DOCTOR_TEST_AS") {
	case "version":
		os.Stdout.WriteString("tool 2.5.1\n")
		os.Exit(0)
	case "listener":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			os.Exit(1)
		}
		os.Stdout.WriteString(l.Addr().String() + "\n")
		time.Sleep(time.Minute)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// examine writes a spec into a folder of its own, EXE standing for this program, and looks it over.
func examine(t *testing.T, text string, status *control.Status) []Finding {
	t.Helper()
	return examineIn(t, t.TempDir(), text, status)
}

func examineIn(t *testing.T, dir, text string, status *control.Status) []Finding {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "services.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "EXE", "'"+exe+"'")), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded := spec.Load(spec.Options{Files: []string{path}, Exe: exe})
	return Examine(context.Background(), Input{Loaded: loaded, Status: status, Version: "1", Env: append(os.Environ(), "DOCTOR_TEST_AS=version"), Exe: exe})
}

func wantFindings(t *testing.T, got []Finding, want ...Finding) {
	t.Helper()
	for i, w := range want {
		if i < len(got) && (got[i].Severity != w.Severity || !strings.Contains(got[i].Subject, w.Subject) || !strings.Contains(got[i].Message, w.Message) || !strings.Contains(got[i].Hint, w.Hint)) {
			t.Errorf("got %+v\nwant %+v", got[i], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d findings, want %d: %+v", len(got), len(want), got)
	}
}

func TestFitMachineHasNoFindings(t *testing.T) {
	wantFindings(t, examine(t, "services:\n  api:\n    command: [EXE]\n    requires: {files: services.yaml, folders: ., commands: [EXE]}\n", nil))
}

func TestProblemsOfTheSpecAreFindings(t *testing.T) {
	wantFindings(t, examine(t, "services:\n  api: {comand: x}\n", nil),
		Finding{Error, "services.yaml:2:9", "services.api.comand: unknown key", `did you mean "command"?`})
	wantFindings(t, examine(t, "host: {shutdown_timeout: 1s}\nservices:\n  api: {command: [EXE]}\n", nil),
		Finding{Warning, "services.yaml", "host.shutdown_timeout: is 1s, but stopping api may take 30s", "raise it"})
}

func TestWhatCannotBeStartedIsFound(t *testing.T) {
	got := examine(t, "services:\n  a: {command: [no-such-program-here]}\n  b: {command: [EXE], dir: nowhere}\n  off: {command: [no-such-program-here], enabled: false}\n", nil)
	wantFindings(t, got,
		Finding{Error, "services.a.command", `executable "no-such-program-here" not found in PATH`, "absolute path"},
		Finding{Error, "services.b.dir", `nowhere" is not there`, ""})
}

func TestVersionsAreAskedFor(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	got := examine(t, "services:\n  v:\n    command: [EXE]\n    requires: {commands: ['"+exe+" >= 3', '"+exe+" >= 2.5']}\n", nil)
	wantFindings(t, got, Finding{Error, "services.v.requires.commands", "version 2.5.1, wanted >= 3", ""})
}

// listen starts a process that listens, and returns it with its port.
func listen(t *testing.T) (pid, port int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "DOCTOR_TEST_AS=listener")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	_, text, err := net.SplitHostPort(strings.TrimSpace(string(line[:n])))
	if err != nil {
		t.Fatal(err)
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, port
}

func running(id string, pid int) *control.Status {
	return &control.Status{Host: control.HostStatus{Name: "h", Version: "1"}, Services: []control.ServiceStatus{{Name: id, ID: id, State: "running", PID: pid}}}
}

func TestPortOfAServiceIsItsOwn(t *testing.T) {
	pid, port := listen(t)
	text := "services:\n  web:\n    command: [EXE]\n    port: " + strconv.Itoa(port) + "\n    requires: {ports: ['${PORT}']}\n"
	taken := "port " + strconv.Itoa(port) + " is taken by "
	wantFindings(t, examine(t, text, nil), Finding{Error, "services.web.port", taken, ""}, Finding{Error, "services.web.requires.ports", taken, ""})
	wantFindings(t, examine(t, text, running("web", pid)))
	if holdersAreTold {
		wantFindings(t, examine(t, text, running("web", os.Getpid()))) // what it started has it
		wantFindings(t, examine(t, text, running("other", pid)),
			Finding{Error, "services.web.port", `, of service "other", and "web" is to have it`, ""}, Finding{Error, "services.web.requires.ports", taken, ""})
	}
}

func TestRunningHostIsLookedAt(t *testing.T) {
	s := running("web", 0)
	s.Host.Version, s.Host.Paused = "0.9", true
	s.Services[0].State, s.Services[0].Reason = "failed", "exit 3"
	wantFindings(t, examine(t, "services: {}\n", s),
		Finding{Warning, "host h", "the running host has version 0.9, this program 1", "restart it"},
		Finding{Warning, "host h", "it is paused", "host resume"},
		Finding{Error, "services.web", "web failed: exit 3", "host why web"})
}

func TestFolderThatCannotBeMadeIsFound(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := examineIn(t, dir, "host: {state_dir: file, logs: {dir: new/logs}}\nservices: {}\n", nil)
	wantFindings(t, got, Finding{Error, "host.state_dir", `file" is not a folder`, "name another"})
}

func TestLogsThatHaveNoRoomAreFound(t *testing.T) {
	wantFindings(t, examine(t, "host: {logs: {max_total: 1000000GB, min_free: 1MiB}}\nservices: {}\n", nil),
		Finding{Warning, "host.logs.max_total", "logs may grow to", "lower it"})
	wantFindings(t, examine(t, "host: {logs: {min_free: 1000000GB}}\nservices: {}\n", nil),
		Finding{Error, "host.logs.min_free", "less than the", "make space"})
}

func TestSecretThatIsNotThereIsFound(t *testing.T) {
	got := examine(t, "host: {log_targets: {l: {type: loki, url: 'http://127.0.0.1', token: {file: none}}}}\nservices: {}\n", nil)
	wantFindings(t, got, Finding{Error, "host.log_targets.l.token", `none", is not there`, ""})
}

func TestOutputOfAProgramIsBounded(t *testing.T) {
	var h head
	for range 10 {
		if n, err := h.Write(make([]byte, 4<<10)); n != 4<<10 || err != nil {
			t.Fatal(n, err)
		}
	}
	if h.Len() != maxHead {
		t.Errorf("%d bytes are kept", h.Len())
	}
}

func TestProcessesAreWithinThoseTheyComeFrom(t *testing.T) {
	pid, _ := listen(t)
	if !within(pid, pid) || within(os.Getpid(), pid) {
		t.Error("a process is within itself, and its parent is not")
	}
	if holdersAreTold && !within(pid, os.Getpid()) {
		t.Error("a child is not seen to be one")
	}
}
