package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"servicehost/host/files"
	"servicehost/host/human"
)

const lockName = "lock"

// ErrLocked says that another process has the state folder.
type ErrLocked struct {
	Dir string
	// PID of the host that took the lock; 0 where it is unknown.
	PID int
	// Dead reports that this host has ended: its guard still holds the lock.
	Dead bool
}

func (e *ErrLocked) Error() string {
	switch {
	case e.Dead:
		return fmt.Sprintf("the state folder %s is in use: the host with process %d has ended, what it started is still being ended", human.Path(e.Dir), e.PID)
	case e.PID == 0:
		return fmt.Sprintf("the state folder %s is in use by another host", human.Path(e.Dir))
	}
	return fmt.Sprintf("the state folder %s is in use by the host with process %d", human.Path(e.Dir), e.PID)
}

// lockFolder prepares the folder and takes its lock, or fails with *ErrLocked.
func lockFolder(dir string) (*os.File, error) {
	if err := prepareDir(dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the state folder: %w", err)
	}
	got, err := files.TryLock(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock the state folder %s: %w", human.Path(dir), err)
	}
	if !got {
		defer f.Close()
		pid, born := readHolder(f)
		return nil, &ErrLocked{Dir: dir, PID: pid, Dead: pid != 0 && !alive(pid, born)}
	}
	if err := writeHolder(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock the state folder %s: %w", human.Path(dir), err)
	}
	return f, nil
}

// waitForFolder tries until the lock is free or ctx ends. Neither flock nor LockFileEx tells when a
// lock of another process is given back without a thread that waits for it, so it looks every few
// milliseconds; this happens once, at the start after a crash.
func waitForFolder(ctx context.Context, dir string) (*os.File, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	unknown := 0
	for {
		f, err := lockFolder(dir)
		var locked *ErrLocked
		if err == nil || !errors.As(err, &locked) {
			return f, err
		}
		switch {
		case locked.Dead:
		case locked.PID == 0 && unknown < 50:
			unknown++ // it may be about to write who it is
		default:
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

// The lock file says who holds it: the PID, and behind it when that process was created, because
// PIDs are used again.
func writeHolder(f *os.File) error {
	pid := os.Getpid()
	text := fmt.Appendf(nil, "%d\n%s\n", pid, processBorn(pid))
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(text, 0)
	return err
}

func readHolder(r io.ReaderAt) (pid int, born string) {
	var buf [64]byte
	n, err := r.ReadAt(buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, ""
	}
	first, rest, _ := strings.Cut(string(buf[:n]), "\n")
	if pid, err = strconv.Atoi(first); err != nil || pid <= 0 {
		return 0, ""
	}
	born, _, _ = strings.Cut(rest, "\n")
	return pid, born
}

// prepareDir creates the folder for this user alone, or checks that the one there is fit.
func prepareDir(dir string) error {
	fail := func(why, hint string) error {
		return fmt.Errorf("cannot use the state folder %s: %s; %s", human.Path(dir), why, hint)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("cannot create the state folder: %w", err)
	}
	if err := makePrivate(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot create the state folder: %w", err)
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("cannot use the state folder: %w", err)
	}
	switch t := fi.Mode().Type(); {
	case t&fs.ModeSymlink != 0:
		return fail("it is a link", "set host.state_dir to the folder itself")
	case t != fs.ModeDir:
		return fail("it is not a folder", "remove it or set host.state_dir")
	}
	if why, hint := unfit(fi); why != "" {
		return fail(why, hint)
	}
	return nil
}
