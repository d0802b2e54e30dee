package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// logs has one child write a GiB, then twenty of them a twentieth each, at once.
func (b *bench) logs(ctx context.Context) {
	for _, writers := range []int{1, 20} {
		took := map[string]time.Duration{}
		each := b.pour / writers
		for round := range min(b.rounds, 2) {
			if err := b.cat(writers, each, round); err != nil {
				b.record(result{Test: "log", Contender: catName, N: writers, Round: round, Error: err.Error()})
			}
			b.each(ctx, round, took,
				func(c contender) error {
					if name := c.about().Name; name == "s6" || name == "runit" {
						return nil // without their loggers they keep nothing
					}
					return b.log(ctx, c, writers, each, round)
				},
				func(c contender, err error) {
					b.record(result{Test: "log", Contender: c.about().Name, N: writers, Round: round, Error: err.Error()})
				})
		}
	}
}

// newGate makes a FIFO at which the writers wait, so that all begin at once.
func (b *bench) newGate() (string, error) {
	b.gates++
	path := filepath.Join(b.dir, fmt.Sprintf("gate.%d", b.gates))
	return path, unix.Mkfifo(path, 0o644)
}

func (b *bench) log(ctx context.Context, c contender, writers, lines, round int) error {
	gate, err := b.newGate()
	if err != nil {
		return err
	}
	x, err := b.open(c, writers, setup{pouring: true}, "pour", func(int) []string { return []string{strconv.Itoa(lines), gate} })
	if x != nil && x.process != nil {
		defer x.close()
	}
	if err != nil {
		return err
	}
	if _, err := x.up(); err != nil {
		return err
	}
	pause(ctx, b.settle)
	supervisors := x.supervising(processTable())
	before := b.used([]*session{x})
	wall, err := watchPour(ctx, x.notes, gate, writers, func() (files []string) {
		for _, s := range x.services {
			files = append(files, x.logs(&x.setup, s)...)
		}
		slices.Sort(files)
		return slices.Compact(files)
	})
	if err != nil {
		return err
	}
	cpu := b.used([]*session{x})[0] - before[0]
	r := result{Test: "log", Contender: c.about().Name, N: writers, Round: round}
	gib := float64(writers) * float64(lines) * lineSize / (1 << 30)
	r.Values = map[string]float64{"s": wall.Seconds(), "gib": gib, "cpu_s_per_gib": cpu.Seconds() / gib}
	for _, pid := range supervisors {
		r.Values["peak_mib"] += mib(pid, "status", "VmHWM")
	}
	// It ends in its own way, and writes what it holds back.
	fds := watch(supervisors)
	unix.Kill(x.pid(&x.setup, x.process.pid), x.stopSignal())
	waitGone(fds, 15*time.Second)

	check := newLineCheck(lines)
	streams := [][]string{}
	for _, s := range x.services {
		streams = append(streams, byAge(x.logs(&x.setup, s)))
	}
	if c.toOut() {
		streams = streams[:1]
	}
	if err := readStreams(check, streams); err != nil {
		return err
	}
	r.Values["lost"], r.Values["torn"], r.Values["repeated"] = float64(check.lost(writers)), float64(check.torn), float64(check.repeated)
	r.Values["lines"] = float64(writers * lines)
	r.Values["bytes_per_line"] = float64(check.bytes) / float64(max(1, check.whole))
	b.record(r)
	return nil
}

// watchPour opens the gate and waits until the writers are done and the files have not grown for a second.
// The time that it returns ends with the last write to a file.
func watchPour(ctx context.Context, notes, gate string, writers int, files func() []string) (time.Duration, error) {
	open, err := unix.Open(gate, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, fmt.Errorf("nobody waits at the gate: %w", err)
	}
	defer unix.Close(open)
	const limit = 90 * time.Second
	read := func() []note {
		text, _ := os.ReadFile(notes)
		return parseNotes(string(text))
	}
	if !until(limit, 50*time.Millisecond, func() bool { return ctx.Err() != nil || len(lastOf(read(), "done")) == writers }) {
		return 0, fmt.Errorf("not all was taken after %v", limit)
	}
	last, quiet := int64(-1), time.Now()
	var newest int64
	until(limit, 50*time.Millisecond, func() bool {
		var size int64
		newest = 0
		for _, f := range files() {
			var st syscall.Stat_t
			if syscall.Stat(f, &st) == nil {
				size += st.Size
				newest = max(newest, st.Mtim.Nano())
			}
		}
		if size != last {
			last, quiet = size, time.Now()
		}
		return ctx.Err() != nil || time.Since(quiet) > time.Second
	})
	all := read()
	var begin, end int64
	for _, n := range lastOf(all, "open") {
		if begin == 0 || n.at < begin {
			begin = n.at
		}
	}
	for _, n := range lastOf(all, "done") {
		end = max(end, n.at)
	}
	// Files have the time of day.
	end = max(end, newest-(time.Now().UnixNano()-now()))
	return time.Duration(end - begin), ctx.Err()
}

// byAge has what was written first at the front.
func byAge(files []string) []string {
	age := map[string]int64{}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			age[f] = info.ModTime().UnixNano()
		}
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(age[a], age[b]) })
	return files
}

func readStreams(check *lineCheck, streams [][]string) error {
	for _, files := range streams {
		for _, path := range files {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			err = check.read(f)
			f.Close()
			if err != nil {
				return err
			}
		}
		check.finish()
	}
	return nil
}
