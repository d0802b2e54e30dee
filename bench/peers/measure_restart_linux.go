package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// restarts kills children that have run for three seconds and more, one after the other, and times each
// from the kill to the note of its next process; then the last of them once more, at once.
func (b *bench) restarts(ctx context.Context) {
	took := map[string]time.Duration{}
	n := b.atMost(b.kills)
	for round := range min(b.rounds, 2) {
		b.each(ctx, round, took,
			func(c contender) error {
				if name := c.about().Name; name == "s6-log" || name == "runit-log" {
					return nil
				}
				return b.restart(ctx, c, n, round)
			},
			func(c contender, err error) {
				b.record(result{Test: "restart", Contender: c.about().Name, N: n, Round: round, Error: err.Error()})
			})
	}
}

func (b *bench) restart(ctx context.Context, c contender, n, round int) error {
	x, err := b.open(c, n, setup{lowest: true}, "rest", plain)
	if x != nil && x.process != nil {
		defer x.close()
	}
	if err != nil {
		return err
	}
	first, err := x.up()
	if err != nil {
		return err
	}
	pause(ctx, 3200*time.Millisecond)
	killed := map[string]int64{}
	for _, s := range x.services {
		killed[s.name] = now()
		unix.Kill(first[s.name].pid, syscall.SIGKILL)
		pause(ctx, 60*time.Millisecond)
	}
	back := func(name string, pid int) (n note, ok bool) {
		for _, n := range x.read() {
			if n.kind == "run" && n.name == name && n.pid != pid && n.at > killed[name] {
				return n, true
			}
		}
		return n, false
	}
	var took figures
	if !until(15*time.Second, 50*time.Millisecond, func() bool {
		took = nil
		for _, s := range x.services {
			if n, ok := back(s.name, first[s.name].pid); ok {
				took = append(took, milliseconds(killed[s.name], n.at))
			}
		}
		return len(took) == n
	}) {
		return fmt.Errorf("%d of %d came back within 15 s", len(took), n)
	}
	r := result{Test: "restart", Contender: c.about().Name, N: n, Round: round, Samples: map[string]figures{"ms": took}}

	// The same one dies again as soon as it is back.
	name := x.services[n-1].name
	pid := lastOf(x.read(), "run")[name].pid
	killed[name] = now()
	unix.Kill(pid, syscall.SIGKILL)
	until(6*time.Second, 10*time.Millisecond, func() bool {
		next, ok := back(name, pid)
		if ok {
			r.Values = map[string]float64{"again_ms": milliseconds(killed[name], next.at)}
		}
		return ok
	})
	b.record(r)
	return nil
}
