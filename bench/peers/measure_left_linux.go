package main

import (
	"context"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sessionOf is what most tests with a few services begin with.
func (b *bench) sessionOf(c contender, n int, kind string, word func(int) []string, leaves bool) (*session, map[string]note, error) {
	x, err := b.open(c, n, setup{leaving: leaves}, kind, word)
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

// few opens one session of each contender but those left out, and waits until all is there. What is
// looked at is no time, so they may run beside each other.
func (b *bench) few(ctx context.Context, test string, n int, without ...string) (all []*session) {
	for _, c := range b.contenders {
		name := c.about().Name
		if slices.Contains(without, name) || ctx.Err() != nil {
			continue
		}
		x, _, err := b.sessionOf(c, n, "tree", sameAndOwn, true)
		if err == nil {
			all = append(all, x)
			continue
		}
		if x != nil {
			x.end()
		}
		b.record(result{Test: test, Contender: name, N: n, Error: err.Error()})
	}
	pause(ctx, b.settle)
	return all
}

// kill kills each supervisor itself, and looks three seconds later at what goes on without it.
func (b *bench) kill(ctx context.Context) {
	n := b.atMost(10)
	all := b.few(ctx, "kill", n, "s6-log", "runit-log")
	for _, x := range all {
		defer x.close()
	}
	for _, x := range all {
		unix.Kill(x.pid(&x.setup, x.process.pid), syscall.SIGKILL)
	}
	pause(ctx, 3*time.Second)
	killed := map[*session]int{}
	for _, x := range all {
		running, leaves := lastOf(x.read(), "run"), lastOf(x.read(), "leaf")
		v := map[string]float64{"children": countAlive(running), "leaves": countAlive(leaves), "of_leaves": float64(len(leaves))}
		b.record(result{Test: "kill", Contender: x.about().Name, N: n, Values: v})
		if pid := running[x.services[0].name].pid; alive(pid) {
			// Is anybody there who would start it again?
			unix.Kill(pid, syscall.SIGKILL)
			killed[x] = len(b.run.Results) - 1
		}
	}
	pause(ctx, 3*time.Second)
	for x, i := range killed {
		if alive(lastOf(x.read(), "run")[x.services[0].name].pid) {
			b.run.Results[i].Values["supervised"] = 1
		}
	}
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
func (b *bench) tree(ctx context.Context) {
	const n = 2
	all := b.few(ctx, "tree", n, "floor", "s6-log", "runit-log")
	for _, x := range all {
		defer x.close()
	}
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
