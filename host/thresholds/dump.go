package thresholds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/files"
)

const (
	// kept is how many dumps of one instance there are at most.
	kept = 3
	// dumpTime bounds one dump: a tree of many GiB on a slow disk takes minutes.
	dumpTime = 10 * time.Minute
	// endTime is how long the end of the host waits for a dump that is being given up.
	endTime = 2 * time.Second
	// maxFetched bounds what is fetched from an address.
	maxFetched = 512 << 20
)

// Target is what a dump is made of.
type Target struct {
	ID  string
	PID int
	// URL is where the program hands its heap out; empty: the process is written as it is.
	URL string
	// Memory is how much there is to write, as far as it is known.
	Memory int64
}

// Dumper writes dumps into a folder that is the host's alone. Its methods may be called from any goroutine.
type Dumper struct {
	dir string
	// run runs a program and waits for it.
	run  func(ctx context.Context, argv []string) error
	free func(dir string) (int64, error)
	turn chan struct{} // one dump at a time: each of them stops its process
	mu   sync.Mutex
	busy map[string]bool
	work sync.WaitGroup
}

// NewDumper returns a dumper for a folder, which it makes when it is needed.
func NewDumper(dir string, run func(context.Context, []string) error, free func(dir string) (int64, error)) *Dumper {
	return &Dumper{dir: dir, run: run, free: free, turn: make(chan struct{}, 1), busy: map[string]bool{}}
}

// Take makes a dump in the background and hands over its path, unless one of the same instance is being made. done is
// called once, from another goroutine; not at all where ctx ended before.
func (d *Dumper) Take(ctx context.Context, t Target, done func(path string, err error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[t.ID] || ctx.Err() != nil {
		return
	}
	d.busy[t.ID] = true
	d.work.Go(func() {
		path, err := d.take(ctx, t)
		d.mu.Lock()
		delete(d.busy, t.ID)
		d.mu.Unlock()
		if ctx.Err() == nil {
			done(path, err)
		}
	})
}

// Wait waits for the dumps that are being made, which end with their ctx, but not for ever.
func (d *Dumper) Wait() {
	over := make(chan struct{})
	go func() { d.work.Wait(); close(over) }()
	late := time.NewTimer(endTime)
	defer late.Stop()
	select {
	case <-over:
	case <-late.C:
	}
}

func (d *Dumper) take(ctx context.Context, t Target) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, dumpTime)
	defer cancel()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if err := files.MakePrivateDir(d.dir, 0o700); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if err := d.makeRoom(root, t); err != nil {
		return "", err
	}
	kind := nativeKind
	if t.URL != "" {
		kind = ".pprof"
	}
	f, name, err := create(root, t.ID, kind)
	if err != nil {
		return "", err
	}
	if t.URL != "" {
		err = fetch(ctx, f, t.URL)
	}
	err = errors.Join(err, f.Close())
	if t.URL == "" && err == nil {
		err = d.native(ctx, root, name, t.PID)
	}
	path := filepath.Join(d.dir, name)
	if err != nil {
		_ = root.Remove(name) // a part of a dump is none
		if errors.Is(err, context.DeadlineExceeded) {
			return "", fmt.Errorf("not done after %s", dumpTime)
		}
		return "", err
	}
	return path, nil
}

const stampForm = "20060102T150405.000Z"

var dumpName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+)-\d{8}T\d{6}\.\d{3}Z\.[a-z]+(\.\d+)?$`) }) // the end of what a killed host left behind

// makeRoom removes the oldest dumps of an instance, and refuses one that would fill the volume.
func (d *Dumper) makeRoom(root *os.Root, t Target) error {
	list, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	var own []string
	for _, e := range list {
		if m := dumpName().FindStringSubmatch(e.Name()); m != nil && m[1] == t.ID && e.Type().IsRegular() {
			own = append(own, e.Name())
		}
	}
	slices.Sort(own)
	for _, name := range own[:max(0, len(own)-kept+1)] {
		if err := root.Remove(name); err != nil {
			return err
		}
	}
	if t.URL != "" || d.free == nil {
		return nil
	}
	free, err := d.free(d.dir)
	if err == nil && free < 2*t.Memory {
		return &HintError{fmt.Sprintf("the volume of %s has no room for it", filepath.Dir(d.dir)), "host.state_dir can name another folder"}
	}
	return nil
}

// HintError is an error with what to do about it.
type HintError struct{ Message, Hint string }

func (e *HintError) Error() string { return e.Message + "; " + e.Hint }

// create makes a file that was not there, for nobody else to read.
func create(root *os.Root, id, kind string) (*os.File, string, error) {
	for at := time.Now().UTC(); ; at = at.Add(time.Millisecond) {
		name := id + "-" + at.Format(stampForm) + kind
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, name, err
		}
	}
}

// fetch writes what an address answers.
func fetch(ctx context.Context, to io.Writer, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer was %s", strings.TrimSpace(resp.Status))
	}
	n, err := io.Copy(to, io.LimitReader(resp.Body, maxFetched+1))
	if err == nil && n > maxFetched {
		err = fmt.Errorf("the answer has more than %d MiB", maxFetched>>20)
	}
	return err
}
