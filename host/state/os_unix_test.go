//go:build unix

package state

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startGuard starts a process that holds the lock and nothing else until the named pipe is closed.
func startGuard(s *Store, fifo string) int {
	in, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		return -1
	}
	exe, err := os.Executable()
	if err != nil {
		return -1
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), otherDir+"=/dev/null", otherDir+"_GUARD=")
	cmd.Stdin = in
	cmd.ExtraFiles = []*os.File{s.LockFile()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return -1
	}
	return cmd.Process.Pid
}

func TestGuardHoldsTheLockLongerThanItsHost(t *testing.T) {
	base := t.TempDir()
	dir, fifo := filepath.Join(base, "state"), filepath.Join(base, "guard")
	must(t, syscall.Mkfifo(fifo, 0o600))
	host := startOther(t, otherDir+"="+dir, otherDir+"_GUARD="+fifo)
	host.says(t, "open %d", host.cmd.Process.Pid)
	if !host.lines.Scan() || !strings.HasPrefix(host.lines.Text(), "guard ") {
		t.Fatalf("no guard: %q", host.lines.Text())
	}
	guard, err := strconv.Atoi(strings.TrimPrefix(host.lines.Text(), "guard "))
	if err != nil || guard <= 0 {
		t.Fatalf("no guard: %q", host.lines.Text())
	}
	// Not reaped yet: a zombie counts as dead.
	must(t, host.cmd.Process.Kill())
	var locked *ErrLocked
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := Open(dir)
		if !errors.As(err, &locked) {
			t.Fatalf("the guard does not hold the lock: %v", err)
		}
		if locked.Dead {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the killed host still counts as alive")
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := OpenWait(short, dir); !errors.As(err, &locked) {
		t.Errorf("OpenWait gave up with %v", err)
	}

	got := make(chan error, 1)
	go func() {
		s, err := OpenWait(t.Context(), dir)
		if err == nil {
			err = s.Close()
		}
		got <- err
	}()
	must(t, syscall.Kill(guard, syscall.SIGKILL))
	select {
	case err := <-got:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Error("OpenWait does not notice that the guard has ended")
	}
}

func TestOpenRefusesUnsafeFolders(t *testing.T) {
	base := t.TempDir()
	real := filepath.Join(base, "real")
	must(t, os.Mkdir(real, 0o700))
	link := filepath.Join(base, "link")
	must(t, os.Symlink(real, link))
	wide := filepath.Join(base, "wide")
	must(t, os.Mkdir(wide, 0o700))
	must(t, os.Chmod(wide, 0o777))
	cases := map[string]string{link: "is a link", wide: "others may write"}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(base, "foreign")
		must(t, os.Mkdir(foreign, 0o700))
		must(t, os.Chown(foreign, 12345, 12345))
		cases[foreign] = "belongs to user 12345"
	}
	for dir, want := range cases {
		s, err := Open(dir)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", filepath.Base(dir), err, want)
		}
	}
	if names, _ := os.ReadDir(real); len(names) != 0 {
		t.Errorf("something was created behind the link: %v", names)
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	must(t, s.Put("k", "v"))
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, logName): 0o600, filepath.Join(dir, lockName): 0o600} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", path, fi.Mode(), err, want)
		}
	}
}
