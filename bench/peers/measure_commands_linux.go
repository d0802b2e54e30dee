package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// commands times what is asked at a prompt: a list of many services of everyone, and some more of host.
// The floor is a program in Go that does nothing.
func (b *bench) commands(ctx context.Context) {
	n := slices.Max(b.sizes)
	took := map[string]time.Duration{}
	b.each(ctx, 0, took, func(c contender) error {
		a := c.about()
		if a.Name == "floor" {
			return b.nothing(c.(floorGo))
		}
		if c.status(&setup{}).args == nil {
			return nil
		}
		x, _, err := b.sessionOf(c, n, "rest", plain, false)
		if x != nil {
			defer x.close()
		}
		if err != nil {
			return err
		}
		pause(ctx, b.settle)
		if err := x.answers(); err != nil {
			return err
		}
		if err := b.repeated(x, "list", n, c.status(&x.setup)); err != nil {
			return err
		}
		if h, ok := c.(hostPeer); ok {
			return b.ofHost(x, h)
		}
		return nil
	}, func(c contender, err error) {
		b.record(result{Test: "list", Contender: c.about().Name, N: n, Error: err.Error()})
	})
}

// repeated runs a command twenty times, or as often as ten seconds allow.
func (b *bench) repeated(x *session, test string, n int, c command) error {
	var wall, cpu figures
	for begin := time.Now(); len(wall) < 20 && time.Since(begin) < 10*time.Second; {
		e, took, err := x.do(c)
		if err != nil {
			return err
		}
		wall, cpu = append(wall, took.Seconds()*1000), append(cpu, e.cpu.Seconds()*1000)
	}
	b.record(result{Test: test, Contender: x.about().Name, N: n, Samples: map[string]figures{"ms": wall, "cpu_ms": cpu}})
	return nil
}

// bare is a session in which nothing runs, for commands that need no supervisor.
func (b *bench) bare(c contender) *session {
	return &session{b: b, contender: c, setup: setup{dir: b.dir}}
}

func (b *bench) nothing(f floorGo) error {
	return b.repeated(b.bare(f), "nothing", 0, command{args: []string{f.path}})
}

func (b *bench) ofHost(x *session, h hostPeer) error {
	if err := b.repeated(x, "version", 0, command{args: []string{h.path, "version"}}); err != nil {
		return err
	}
	few := b.bare(h)
	for i := range 10 {
		name := fmt.Sprintf("c%04d", i)
		few.services = append(few.services, service{name, []string{b.child, "rest", "notes", name, "one"}, b.dir + "/" + name + ".log"})
	}
	if err := few.write(); err != nil {
		return err
	}
	return b.repeated(few, "validate", 10, h.do(&few.setup, "validate"))
}
