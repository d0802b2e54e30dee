package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The test binary is its own other process: with this variable it opens the folder, says how that
// went and waits for the end of its input.
const otherDir = "STATE_TEST_OPEN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(otherDir); dir != "" {
		s, err := Open(dir)
		var locked *ErrLocked
		switch {
		case errors.As(err, &locked):
			fmt.Println("locked by", locked.PID)
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println("open", os.Getpid())
			if extra := os.Getenv(otherDir + "_GUARD"); extra != "" {
				fmt.Println("guard", startGuard(s, extra))
			}
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

type other struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

func startOther(t *testing.T, env ...string) *other {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	o := &other{cmd: cmd, stdin: in, lines: bufio.NewScanner(out)}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return o
}

func (o *other) says(t *testing.T, format string, args ...any) {
	t.Helper()
	want := fmt.Sprintf(format, args...)
	if !o.lines.Scan() || o.lines.Text() != want {
		t.Fatalf("the other process says %q, want %q", o.lines.Text(), want)
	}
}

func TestOneProcessHasTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	o := startOther(t, otherDir+"="+dir)
	o.says(t, "locked by %d", os.Getpid())
	var locked *ErrLocked
	if _, err := Open(dir); !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Dead {
		t.Errorf("a second Open in this process: %v", err)
	}
	must(t, s.Close())

	o = startOther(t, otherDir+"="+dir)
	o.says(t, "open %d", o.cmd.Process.Pid)
	if _, err := Open(dir); !errors.As(err, &locked) || locked.PID != o.cmd.Process.Pid {
		t.Errorf("while the other has it: %v", err)
	}
	began := time.Now()
	if _, err := OpenWait(t.Context(), dir); !errors.As(err, &locked) || time.Since(began) > 5*time.Second {
		t.Errorf("OpenWait with a living holder: %v after %v", err, time.Since(began))
	}
	must(t, o.cmd.Process.Kill())
	_ = o.cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	again, err := OpenWait(ctx, dir)
	must(t, err)
	must(t, again.Close())
}

func TestHolderThatCannotBeReadIsUnknown(t *testing.T) {
	for _, text := range []string{"", "x", "-1\n", "99999999999999999999\n", "\n\n"} {
		path := filepath.Join(t.TempDir(), lockName)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		f, err := os.Open(path)
		must(t, err)
		if pid, _ := readHolder(f); pid != 0 {
			t.Errorf("%q: process %d", text, pid)
		}
		f.Close()
	}
}

func TestAliveTellsReusedNumbersApart(t *testing.T) {
	pid := os.Getpid()
	born := processBorn(pid)
	if !alive(pid, born) || !alive(pid, "") {
		t.Error("this process is not alive")
	}
	if born != "" && alive(pid, born+"0") {
		t.Error("a process born at another time counts as the same")
	}
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe, "-test.run=^$")
	must(t, cmd.Run())
	if alive(cmd.Process.Pid, "1") {
		t.Error("an ended process is alive")
	}
}

func TestOpenRefusesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	must(t, os.WriteFile(path, nil, 0o600))
	if s, err := Open(path); err == nil {
		s.Close()
		t.Error("a file was taken for a folder")
	}
}
