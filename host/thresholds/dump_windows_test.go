package thresholds

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestHelperWritesAProcess asks for the smallest dump: for a whole process Wine takes a minute.
func TestHelperWritesAProcess(t *testing.T) {
	child := exec.Command("cmd", "/c", "pause")
	hold, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	path := filepath.Join(t.TempDir(), "self.dmp")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeDump(uint32(child.Process.Pid), path, 0); err != nil {
		t.Fatal(err)
	}
	head, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(head, []byte("MDMP")) {
		t.Errorf("%.8q %v", head, err)
	}
}

func TestHelperSaysWhatIsWrong(t *testing.T) {
	if handled, _ := HelperMain([]string{"run"}); handled {
		t.Error("a command is taken for a dump")
	}
	if handled, code := HelperMain([]string{helperDump, "x", "y"}); !handled || code != 1 {
		t.Errorf("handled %v, code %d", handled, code)
	}
	if err := writeDump(0, filepath.Join(t.TempDir(), "none.dmp"), 0); err == nil {
		t.Error("a process that is none was written")
	}
}

func TestResultOfDbghelpIsAnErrorOfWindows(t *testing.T) {
	if err := hresult(syscall.Errno(0x80070005)); !errors.Is(err, os.ErrPermission) {
		t.Errorf("%v", err)
	}
	if err := hresult(syscall.Errno(0x80004005)); err != syscall.Errno(0x80004005) {
		t.Errorf("%v", err)
	}
}

// TestDumpAsksForTheWholeProcess holds the numbers of the documentation: Wine writes less than it is asked for.
func TestDumpAsksForTheWholeProcess(t *testing.T) {
	if dumpParts != 0x21826 || dumpAccess != 0x0450 {
		t.Errorf("parts %#x, access %#x", dumpParts, dumpAccess)
	}
}
