package main

import (
	"context"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sessionOf is what most tests with a few services begin with.
func (b *bench) sessionOf(c contender, n int, kind string, word func(int) []string, leaves bool) (*session, map[string]note, error) {
	x, err := b.open(c, n, setup{}, kind, word)
	if x == nil || x.process == nil {
		return nil, nil, err
	}
	if err != nil {
		return x, nil, err
	}
	running, err := x.up()
	if err == nil && leaves {
		until(5*time.Second, 10*time.Millisecond, func() bool { return len(lastOf(x.read(), "leaf")) == n })
	}
	return x, running, err
}

// sameAndOwn alternates: the child of a child stays in the process group, or leaves it.
func sameAndOwn(i int) []string { return []string{[]string{"same", "own"}[i%2]} }

// kill kills each supervisor itself, and looks three seconds later at what goes on without it.
func (b *bench) kill(ctx context.Context) {
	n := b.few(10)
	b.each(ctx, 0, map[string]time.Duration{}, func(c contender) error {
		if name := c.about().Name; name == "s6-log" || name == "runit-log" {
			return nil
		}
		x, running, err := b.sessionOf(c, n, "tree", sameAndOwn, true)
		if x != nil {
			defer x.close()
		}
		if err != nil {
			return err
		}
		pause(ctx, b.settle)
		leaves := lastOf(x.read(), "leaf")
		unix.Kill(x.pid(&x.setup, x.process.pid), syscall.SIGKILL)
		pause(ctx, 3*time.Second)
		v := map[string]float64{"children": countAlive(running), "leaves": countAlive(leaves), "of_leaves": float64(len(leaves))}
		again := lastOf(x.read(), "run")[x.services[0].name].pid
		if alive(again) {
			// Is anybody there who would start it again?
			unix.Kill(again, syscall.SIGKILL)
			if until(3*time.Second, 20*time.Millisecond, func() bool { return lastOf(x.read(), "run")[x.services[0].name].pid != again }) {
				v["supervised"] = 1
			}
		}
		b.record(result{Test: "kill", Contender: c.about().Name, N: n, Values: v})
		return nil
	}, func(c contender, err error) {
		b.record(result{Test: "kill", Contender: c.about().Name, N: n, Error: err.Error()})
	})
}

func countAlive(all map[string]note) (n float64) {
	for _, x := range all {
		if alive(x.pid) {
			n++
		}
	}
	return n
}

// tree stops two services whose children ignore SIGTERM, one of them in a session of its own, and looks
// twelve seconds after the commands came back: longer than any of the contenders waits before it kills.
// Nothing of this is timed, so all of them are stopped at once.
func (b *bench) tree(ctx context.Context) {
	const n = 2
	var all []*session
	for _, c := range b.contenders {
		name := c.about().Name
		if name == "floor" || name == "s6-log" || name == "runit-log" || ctx.Err() != nil {
			continue
		}
		x, _, err := b.sessionOf(c, n, "tree", sameAndOwn, true)
		if x != nil {
			defer x.close()
		}
		if err != nil {
			b.record(result{Test: "tree", Contender: name, N: n, Error: err.Error()})
			continue
		}
		all = append(all, x)
	}
	pause(ctx, b.settle)
	var commands []*process
	for _, x := range all {
		for _, s := range x.services {
			if p, _, err := x.begin(x.stopOne(&x.setup, s.name)); err == nil {
				commands = append(commands, p)
			}
		}
	}
	for end := time.Now().Add(20 * time.Second); len(commands) > 0; commands = commands[1:] {
		// Some wait in vain for the end of what they don't end.
		_, _, _ = commands[0].wait(time.Until(end))
	}
	pause(ctx, 12*time.Second)
	for _, x := range all {
		leaves, v := lastOf(x.read(), "leaf"), map[string]float64{}
		for _, l := range leaves {
			if alive(l.pid) {
				v[l.word]++
			}
		}
		v["of"] = float64(len(leaves))
		b.record(result{Test: "tree", Contender: x.about().Name, N: n, Values: v})
	}
}
