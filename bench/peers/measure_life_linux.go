package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// lives starts so many services, changes one and stops all: the three tests have a session in common.
func (b *bench) lives(ctx context.Context) {
	large := b.large()
	for _, n := range b.sizes {
		took := map[string]time.Duration{}
		rounds := b.rounds
		if n >= 100 {
			rounds = min(rounds, 3)
		}
		isLarge := false
		for _, l := range large {
			isLarge = isLarge || l == n
		}
		if !isLarge && !b.wants("start") {
			continue
		}
		for round := range rounds {
			b.each(ctx, round, took,
				func(c contender) error { return b.life(ctx, c, n, round, isLarge) },
				func(c contender, err error) {
					b.record(result{Test: "start", Contender: c.about().Name, N: n, Round: round, Error: err.Error()})
				})
		}
	}
}

func (b *bench) life(ctx context.Context, c contender, n, round int, large bool) error {
	x, err := b.open(c, n, setup{}, "rest", plain)
	if x != nil && x.process != nil {
		defer x.close()
	}
	if err != nil {
		return err
	}
	running, err := x.up()
	if err != nil {
		return err
	}
	last := x.process.began
	for _, r := range running {
		last = max(last, r.at)
	}
	r := result{Test: "start", Contender: c.about().Name, N: n, Round: round, Values: map[string]float64{"ms": milliseconds(x.process.began, last)}}
	for _, pid := range x.supervising(processTable()) {
		r.Values["cpu_ms"] += cpuOf(pid).Seconds() * 1000
	}
	if b.wants("start") {
		b.record(r)
	}
	logged := c.about().Name == "s6-log" || c.about().Name == "runit-log" // they differ in start and rest only
	if !large || logged {
		return nil
	}
	pause(ctx, b.settle)
	if b.wants("reload") {
		r := result{Test: "reload", Contender: c.about().Name, N: n, Round: round}
		if err := x.answers(); err != nil {
			r.Error = err.Error()
		} else if r.Values, err = x.change(ctx); err != nil {
			r.Error = err.Error()
		}
		b.record(r)
	}
	if b.wants("stop") {
		b.record(x.stop(n, round))
	}
	return nil
}

// change gives the first service another argument, and times it from the first command to the note of
// its next process.
func (x *session) change(ctx context.Context) (map[string]float64, error) {
	before := lastOf(x.read(), "run")
	args := x.services[0].args
	args[len(args)-1] = "two"
	if err := x.write(); err != nil {
		return nil, err
	}
	var first int64
	for _, c := range x.reload(&x.setup, x.pid(&x.setup, x.process.pid), x.services[0].name) {
		begin := now()
		if _, _, err := x.do(c); err != nil {
			return nil, err
		}
		if first == 0 {
			first = begin
		}
	}
	var next note
	if !until(time.Minute, 10*time.Millisecond, func() bool {
		next = lastOf(x.read(), "run")[x.services[0].name]
		return next.word == "two"
	}) {
		return nil, fmt.Errorf("the changed service was not there after a minute")
	}
	pause(ctx, x.b.settle) // for whatever else it may touch
	after := lastOf(x.read(), "run")
	kept := 0
	for _, s := range x.services[1:] {
		if pid := before[s.name].pid; after[s.name].pid == pid && alive(pid) {
			kept++
		}
	}
	return map[string]float64{"ms": milliseconds(first, next.at), "kept": float64(kept)}, nil
}

// stop asks for the end of all, and waits for every process.
func (x *session) stop(n, round int) result {
	r := result{Test: "stop", Contender: x.about().Name, N: n, Round: round}
	pids := x.supervising(processTable())
	for _, last := range lastOf(x.read(), "run") {
		pids = append(pids, last.pid)
	}
	fds := watch(pids)
	begin := now()
	unix.Kill(x.pid(&x.setup, x.process.pid), x.stopSignal())
	left, at := waitGone(fds, 25*time.Second)
	if len(left) > 0 {
		r.Error = fmt.Sprintf("%d processes were left after 25 s", len(left))
	} else {
		r.Values = map[string]float64{"ms": milliseconds(begin, at)}
	}
	return r
}
