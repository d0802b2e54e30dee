package e2e

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// hostConsole gives the host a console of its own, in which it alone gets a Ctrl-C.
func hostConsole(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
}

// askToEnd presses Ctrl-C in the console of the host, by the same short-lived helper as a host uses.
func askToEnd(c *exec.Cmd) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	h := exec.Command(exe, "__ctrl", "--event", "ctrl_c", "--pid", strconv.Itoa(c.Process.Pid))
	h.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
	return h.Run()
}

// birth tells this process from another with its number: it is when it was created. Numbers are taken again soon.
func birth() int64 { return created(windows.CurrentProcess()) }

func created(process windows.Handle) int64 {
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(process, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	return created.Nanoseconds()
}

func processAlive(pid int, born int64, _ string) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	if created(h) != born {
		return false
	}
	e, err := windows.WaitForSingleObject(h, 0)
	return err == nil && e == uint32(windows.WAIT_TIMEOUT)
}

// inSystemPage is text as Windows decodes what its console programs write.
func inSystemPage(t *testing.T, text string) string {
	t.Helper()
	const oem = 1 // CP_OEMCP
	var w [64]uint16
	n, err := windows.MultiByteToWideChar(oem, 0, unsafe.StringData(text), int32(len(text)), &w[0], int32(len(w)))
	if err != nil {
		t.Fatal(err)
	}
	return windows.UTF16ToString(w[:n])
}

func detach(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
}

// openAlone empties a file, or makes one, and shares it with nobody.
func openAlone(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, nil, windows.CREATE_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), path), nil
}

// floodEnv has a command that reads a flood find no host, and so read from disk: Wine 8 loses bytes of a named pipe
// that is written to without a pause, or lets it hang; the pipe of go-winio alone shows it within seconds.
func floodEnv(t *testing.T) []string { return []string{"HOST_RUN_DIR=" + t.TempDir()} }
