package process_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// stopSteps end a well-behaved child.
var stopSteps = []string{"ctrl_c", "SIGTERM"}

var kernel32 = windows.NewLazySystemDLL("kernel32.dll")

// underWine reports whether the system is Wine, for what it can't do.
func underWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// grandchildAttr: same = in the console of its parent, detached = in none, in a group of its own, breakaway =
// detached and out of the job.
func grandchildAttr(how string) *syscall.SysProcAttr {
	const detached = windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS
	switch how {
	case "detached":
		return &syscall.SysProcAttr{CreationFlags: detached}
	case "breakaway":
		return &syscall.SysProcAttr{CreationFlags: detached | windows.CREATE_BREAKAWAY_FROM_JOB}
	}
	return nil
}

// leaveConsole lets the console process go: Wine's holds the outputs of its program open.
func leaveConsole() { kernel32.NewProc("FreeConsole").Call() }

func alive(pid int) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	r, err := windows.WaitForSingleObject(h, 0)
	return err == nil && r == uint32(windows.WAIT_TIMEOUT)
}

// openHandles counts what this process holds open. It tries the values: Wine's own count is always 0.
func openHandles(t *testing.T) int {
	t.Helper()
	info := kernel32.NewProc("GetHandleInformation")
	n := 0
	for h := windows.Handle(4); h < 1<<16; h += 4 {
		var flags uint32
		if ok, _, _ := info.Call(uintptr(h), uintptr(unsafe.Pointer(&flags))); ok != 0 {
			n++
		}
	}
	return n
}

// handleSlack allows for threads that the runtime starts meanwhile, with a few handles each.
const handleSlack = 40

// manyRuns at once: under Wine each costs a console process beside its own.
const manyRuns = 50

// unusable returns a path that exists and that the system does not permit to run.
func unusable(t *testing.T) string { return t.TempDir() }

// notAProgram is the content of a file that is no program.
func notAProgram(t *testing.T) string {
	path := t.TempDir() + `\app.exe`
	if err := os.WriteFile(path, []byte("this is no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// killProcess ends a process without asking it.
func killProcess(t *testing.T, pid int) {
	t.Helper()
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	if err := windows.TerminateProcess(h, 1); err != nil {
		t.Fatal(err)
	}
}

func playMore(part string, _ []string) {
	if part == "identity" {
		playIdentity()
		os.Exit(0)
	}
	if part == "class" {
		class, err := windows.GetPriorityClass(windows.CurrentProcess())
		fmt.Println("class", class, err)
		os.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "no part %q\n", part)
	os.Exit(99)
}

// oddArgument is how a child prints an argument that is not UTF-8: the system has UTF-16 only.
func oddArgument(s string) string { return quoted(strings.ToValidUTF8(s, "\ufffd")) }
