package host

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// rotator is the host's own log file, kept small by renaming it.
type rotator struct {
	path string
	max  int64
	keep int

	mu     sync.Mutex
	f      *os.File
	size   int64
	wait   time.Time // not to be rotated before: it could not be a moment ago
	closed bool
}

// rotateRetry is the time between two tries to rotate a file that another program keeps from being renamed.
const rotateRetry = time.Second

func newRotator(path string, maxSize int64, keep int) (*rotator, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("cannot open the host's log: %w", err)
	}
	r := &rotator{path: path, max: maxSize, keep: max(keep, 1)}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

// open goes through os.Root: a file that is opened so can be renamed and removed by others on Windows, too.
func (r *rotator) open() error {
	dir, err := os.OpenRoot(filepath.Dir(r.path))
	if err != nil {
		return fmt.Errorf("cannot open the host's log: %w", err)
	}
	defer dir.Close()
	f, err := dir.OpenFile(filepath.Base(r.path), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("cannot open the host's log: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	r.f, r.size = f, st.Size()
	return nil
}

func (r *rotator) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, os.ErrClosed
	}
	if r.max > 0 && r.size > 0 && r.size+int64(len(p)) > r.max {
		if now := time.Now(); !now.Before(r.wait) {
			_ = r.rotate(now) // else it grows on, and is tried again
		}
	}
	if r.f == nil {
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	n, err := r.f.Write(p)
	r.size += int64(n)
	return n, err
}

// Rotate begins a new file now, unless the current one is empty.
func (r *rotator) Rotate() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.size == 0 {
		return nil
	}
	if r.f == nil { // it could not be opened anew
		return r.open()
	}
	if err := r.rotate(time.Now()); err != nil {
		return fmt.Errorf("cannot rotate the host's log, it grows on: %w", err)
	}
	return r.open()
}

// rotate moves the current file aside before it touches the older ones. Where it can't be moved it grows on:
// better than a log that stops, or one whose past is pushed out by tries.
func (r *rotator) rotate(now time.Time) error {
	r.f.Close()
	r.f = nil
	aside := r.path + ".0"
	if err := os.Rename(r.path, aside); err != nil {
		r.wait = now.Add(rotateRetry)
		return err
	}
	for n := r.keep - 1; n >= 0; n-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", r.path, n), fmt.Sprintf("%s.%d", r.path, n+1)) // few of them exist at first
	}
	return nil
}

func (r *rotator) Sync() error { return nil }

// Close gives the file back. What is written later is lost.
func (r *rotator) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.f == nil {
		return nil
	}
	return r.f.Close()
}
