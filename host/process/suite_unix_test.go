//go:build unix

package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stopSteps end a well-behaved child.
var stopSteps = []string{"SIGTERM", "SIGINT"}

// grandchildAttr: same = in the process group of its parent, detached = in a session of its own.
func grandchildAttr(how string) *syscall.SysProcAttr {
	if how == "detached" {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return nil
}

// leaveConsole is for Windows.
func leaveConsole() {}

// alive reports whether the process runs: a zombie does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !os.IsNotExist(err) || !hasProc()
	}
	rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return !strings.HasPrefix(strings.TrimSpace(rest), "Z")
}

func hasProc() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// openHandles counts what this process holds open.
func openHandles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// handleSlack allows for what the runtime opens on first use.
const handleSlack = 4

// manyRuns at once.
const manyRuns = 200

// unusable returns a path that exists and that the system does not permit to run, not even root.
func unusable(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// notAProgram returns an executable file that is no program.
func notAProgram(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(path, []byte("this is no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// killProcess ends a process without asking it.
func killProcess(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func playMore(part string, _ []string) {
	fmt.Fprintf(os.Stderr, "no part %q\n", part)
	os.Exit(99)
}
