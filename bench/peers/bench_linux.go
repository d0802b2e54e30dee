package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

// options are what the command line asks for.
type options struct {
	tests  []string
	sizes  []int
	rounds int
	kills  int           // children that are killed in one round of restart
	settle time.Duration // how long services run before something is asked of them, and how long it may have effects
	window time.Duration // how long idle is looked at
	pour   int           // lines for one GiB, or fewer
	keep   bool          // the folders stay
	json   string        // the file of the results
}

// bench is a run of this program.
type bench struct {
	options
	dir, child string
	null       *os.File
	contenders []contender
	run        run
	sessions   int
	gates      int
	began      time.Time
	done       atomic.Bool // nothing is left to be cut short
}

// testNames are in the order in which they are made. Start, reload and stop share their sessions.
var testNames = []string{"start", "reload", "stop", "restart", "idle", "log", "kill", "tree", "commands"}

func (b *bench) wants(test string) bool { return slices.Contains(b.tests, test) }

// measure makes all tests that are wanted, one contender after the other within each round.
func (b *bench) measure(ctx context.Context) error {
	for _, t := range []struct {
		names []string
		make  func(context.Context)
	}{
		{[]string{"start", "reload", "stop"}, b.lives},
		{[]string{"restart"}, b.restarts},
		{[]string{"idle"}, b.idle},
		{[]string{"log"}, b.logs},
		{[]string{"kill"}, b.kill},
		{[]string{"tree"}, b.tree},
		{[]string{"commands"}, b.commands},
	} {
		if slices.ContainsFunc(t.names, b.wants) {
			t.make(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := b.save(); err != nil {
			return err
		}
	}
	return nil
}

// save writes what there is so far.
func (b *bench) save() error {
	if b.json == "" {
		return nil
	}
	if old, err := loadRun(b.json); err == nil {
		b.run.addTo(old)
	}
	return b.run.save(b.json)
}

// record keeps a result and shows it to who waits.
func (b *bench) record(r result) {
	b.run.Results = append(b.run.Results, r)
	line := fmt.Sprintf("%6.1fs  %-9s %-16s n=%-5d", time.Since(b.began).Seconds(), r.Test, r.Contender, r.N)
	for _, name := range slices.Sorted(keys(r.Values)) {
		line += fmt.Sprintf(" %s=%s", name, number(r.Values[name]))
	}
	for _, name := range slices.Sorted(keys(r.Samples)) {
		line += fmt.Sprintf(" %s=%s", name, r.Samples[name].spread())
	}
	if r.Error != "" {
		line += " " + r.Error
	}
	fmt.Fprintln(os.Stderr, line)
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// each does something for every contender but those that took so long that once or twice is enough.
func (b *bench) each(ctx context.Context, round int, took map[string]time.Duration, do func(c contender) error, failed func(c contender, err error)) {
	for _, c := range b.contenders {
		name := c.about().Name
		if ctx.Err() != nil || round >= 1 && took[name] > 45*time.Second || round >= 2 && took[name] > 15*time.Second {
			continue
		}
		begin := time.Now()
		if err := errors.Join(do(c), endAll(b.child)); err != nil {
			failed(c, err)
		}
		took[name] = time.Since(begin)
	}
}

// large are the sizes at which the tests are made that have nothing to say of a few services.
func (b *bench) large() (out []int) {
	for _, n := range b.sizes {
		if n >= 100 {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		out = []int{slices.Max(b.sizes)}
	}
	return out
}

// atMost is a number of services, or less where the sizes are smaller.
func (b *bench) atMost(n int) int { return min(n, slices.Max(b.sizes)) }

func milliseconds(from, to int64) float64 { return float64(to-from) / 1e6 }

// pause waits, unless the run is to end.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// clean ends what is left and removes the folder of the run.
func (b *bench) clean() error {
	err := endAll(b.child)
	if b.keep {
		return err
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// newDir makes the folder of the run, in memory where that can be, to leave the disk out of the figures.
func newDir(in string) (string, error) {
	if in == "" {
		in = os.TempDir()
		if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
			in = "/dev/shm"
		}
	}
	dir, err := os.MkdirTemp(in, "peers-")
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}
