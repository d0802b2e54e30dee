//go:build unix

package process_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
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
		return !hasProc() // reaped meanwhile, or a system without /proc
	}
	// Behind the name: state, ppid, pgrp, session, tty, tpgid, flags.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const exiting = 0x4 // its files are closed and its group is left before it is a zombie
	flags, err := strconv.ParseUint(fields[6], 10, 64)
	return err == nil && !strings.Contains("ZX", fields[0]) && flags&exiting == 0
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

func playMore(part string, args []string) {
	switch part {
	case "ticks": // ticks N MS: N lines with the time, one every MS milliseconds
		tick := time.NewTicker(time.Duration(number(args[1])) * time.Millisecond)
		for range number(args[0]) {
			<-tick.C
			fmt.Println(time.Now().UnixNano())
		}
		os.Exit(0)
	case "flood": // flood MB: so much in writes of 4000 bytes
		line := bytes.Repeat([]byte("0123456789012345678\n"), 200)
		for range number(args[0]) * 250 {
			os.Stdout.Write(line)
		}
		os.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "no part %q\n", part)
	os.Exit(99)
}

// oddArgument is how a child prints an argument that is not UTF-8.
func oddArgument(s string) string { return quoted(s) }
