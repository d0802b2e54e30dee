package process_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"servicehost/host/process"
)

func TestCtrlBreakEndsAWellBehavedChild(t *testing.T) {
	if underWine() {
		t.Skip("Wine 8 does not send CTRL_BREAK to everything in a console")
	}
	s := newStage(t, newBackend(t))
	id, _ := s.start(part("stop"))
	s.read(id, process.Stdout).awaitText(t, "ready")
	if err := s.StopStep(id, "ctrl_break"); err != nil {
		t.Fatal(err)
	}
	if exit := s.await(id, process.Gone).Exit; exit.Code != 5 {
		t.Errorf("exit %+v", exit)
	}
}

func TestExitCodesAreUnsigned(t *testing.T) {
	s := newStage(t, newBackend(t))
	for _, code := range []int{0xC0000005, 0xC000013A, 0xFFFFFFFF} {
		id, _ := s.start(part("exit", strconv.Itoa(code)))
		if exit := s.await(id, process.Gone).Exit; exit.Code != code {
			t.Errorf("exit %#x arrived as %#x", code, exit.Code)
		}
	}
}

func TestCloseNeedsAWindow(t *testing.T) {
	s := newStage(t, newBackend(t))
	id, _ := s.start(part("stop"))
	s.read(id, process.Stdout).awaitText(t, "ready")
	err := s.StopStep(id, "close")
	if err == nil {
		t.Fatal("close reached a window")
	}
	if kind := kindOf(t, err); kind != process.ErrUnsupported && !underWine() {
		t.Errorf("kind %q: %v", kind, err)
	}
}

func TestConsoleStepNeedsAConsole(t *testing.T) {
	s := newStage(t, newBackend(t))
	id, _ := s.start(part("silent")) // it leaves its console before it closes its output
	s.read(id, process.Stdout).awaitEnd(t)
	if kind := kindOf(t, s.StopStep(id, "ctrl_c")); kind != process.ErrUnsupported {
		t.Errorf("kind %q", kind)
	}
}

func TestGroupIsForUnix(t *testing.T) {
	s := newStage(t, newBackend(t))
	r := part("exit", "0")
	r.Group = "Users"
	if _, err := s.Start(s.name(), r); kindOf(t, err) != process.ErrUnsupported {
		t.Errorf("Start with a group: %v", err)
	}
}

func TestBatchFileRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with blank")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "run.bat")
	if err := os.WriteFile(path, []byte("@echo off\r\necho got %~1 and %~2\r\nexit 6\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, newBackend(t))
	r := part("none", "one two", "a&echo b")
	r.Path, r.Args[0] = path, path
	id, _ := s.start(r)
	text := s.read(id, process.Stdout).awaitEnd(t)
	exit := s.await(id, process.Gone).Exit
	if exit.Code != 6 || !strings.HasPrefix(text, "got one two and") {
		t.Errorf("exit %+v, output %q", exit, text)
	}
}
