package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
)

// runDirVariable names another run directory, for hosts that must not be seen among the others.
const runDirVariable = "HOST_RUN_DIR"

// maxEntry bounds what is read of a registration: anything larger is not ours.
const maxEntry = 1 << 20

const entrySuffix = ".json"

// Running returns the hosts that run now and concern this account, ordered by name. Registrations
// that a dead host left behind are removed where that is ours to do.
func Running(ctx context.Context) ([]Entry, error) {
	return runningIn(ctx, lookupDirs())
}

func runningIn(ctx context.Context, dirs []string) ([]Entry, error) {
	var (
		mu    sync.Mutex
		alive []Entry
		wg    sync.WaitGroup
		stale sync.Map
	)
	for _, dir := range dirs {
		files, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot look for running hosts: %w", err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), entrySuffix) {
				continue
			}
			path := filepath.Join(dir, f.Name())
			e, err := readEntry(path)
			if err != nil {
				continue
			}
			wg.Go(func() {
				if !answers(ctx, e) {
					if ctx.Err() == nil && ownDir(dir) {
						forget(path, e)
						stale.Store(dir, true)
					}
					return
				}
				mu.Lock()
				defer mu.Unlock()
				alive = append(alive, e)
			})
		}
	}
	wg.Wait()
	stale.Range(func(dir, _ any) bool {
		sweep(dir.(string))
		return true
	})
	slices.SortFunc(alive, func(a, b Entry) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Spec(), b.Spec())
	})
	return slices.CompactFunc(alive, func(a, b Entry) bool { return a.Address == b.Address && a.PID == b.PID }), ctx.Err()
}

func readEntry(path string) (Entry, error) {
	var e Entry
	info, err := os.Lstat(path)
	if err != nil {
		return e, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxEntry {
		return e, fmt.Errorf("%s is no registration of a host", human.Path(path))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("cannot read %s: %w", human.Path(path), err)
	}
	if e.PID <= 0 || e.Address == "" {
		return e, fmt.Errorf("%s is no registration of a host", human.Path(path))
	}
	return e, nil
}

// writeEntry puts a registration in place in one step: readers see a whole one or none.
func writeEntry(path string, e Entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(data, '\n'))
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(tmp.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

// forget removes a registration, unless another host took its place in the meantime.
func forget(path string, e Entry) {
	if now, err := readEntry(path); err == nil && now.PID == e.PID && now.Created.Equal(e.Created) {
		_ = os.Remove(path)
	}
}

// answers reports whether the host of an entry lives: its channel takes connections, or refuses ours.
func answers(ctx context.Context, e Entry) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := dial(ctx, e)
	if err == nil {
		_ = conn.Close()
		return true
	}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, context.DeadlineExceeded):
		return processAlive(e.PID)
	default:
		return false
	}
}
