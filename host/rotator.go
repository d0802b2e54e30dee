package host

import (
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap/zapcore"
)

// rotator is the host's own log file, kept small by renaming it.
type rotator struct {
	path string
	max  int64
	keep int
	f    *os.File
	size int64
}

func newRotator(path string, maxSize int64, keep int) (zapcore.WriteSyncer, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("cannot open the host's log: %w", err)
	}
	r := &rotator{path: path, max: maxSize, keep: max(keep, 1)}
	if err := r.open(); err != nil {
		return nil, err
	}
	return zapcore.Lock(r), nil
}

func (r *rotator) open() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
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
	if r.max > 0 && r.size > 0 && r.size+int64(len(p)) > r.max {
		r.rotate()
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

func (r *rotator) rotate() {
	r.f.Close()
	r.f = nil
	for n := r.keep - 1; n >= 1; n-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", r.path, n), fmt.Sprintf("%s.%d", r.path, n+1)) // few of them exist at first
	}
	_ = os.Rename(r.path, r.path+".1") // where it can't be, the file grows on: better than a log that stops
}

func (r *rotator) Sync() error { return nil }
