package main

import (
	"context"
	"time"
)

// idle runs all contenders beside each other, for what is counted is memory and CPU time, not wall time:
// they are looked at twice, and what they used between is theirs.
func (b *bench) idle(ctx context.Context) {
	for _, n := range append([]int{0}, b.large()...) {
		b.idleWith(ctx, n)
		if ctx.Err() != nil {
			return
		}
	}
}

func (b *bench) idleWith(ctx context.Context, n int) {
	fail := func(c contender, err error) {
		b.record(result{Test: "idle", Contender: c.about().Name, N: n, Error: err.Error()})
	}
	var all []*session
	defer func() {
		for _, x := range all {
			if err := x.close(); err != nil {
				fail(x.contender, err)
			}
		}
	}()
	for _, c := range b.contenders {
		x, err := b.open(c, n, setup{}, "rest", plain)
		if x != nil && x.process != nil {
			all = append(all, x)
		}
		if err == nil {
			_, err = x.up()
		}
		if err != nil {
			fail(c, err)
			if x != nil && x.process != nil {
				all = all[:len(all)-1]
			}
		}
	}
	pause(ctx, 6*time.Second)
	before := b.used(all)
	begin := time.Now()
	pause(ctx, b.window)
	after, took := b.used(all), time.Since(begin)
	table := processTable()
	for i, x := range all {
		v := map[string]float64{"cpu_ms": (after[i] - before[i]).Seconds() * 1000 * 30 / took.Seconds()}
		for _, pid := range x.supervising(table) {
			v["processes"]++
			v["threads"] += float64(threadsOf(pid))
			v["pss_mib"] += mib(pid, "smaps_rollup", "Pss")
		}
		b.record(result{Test: "idle", Contender: x.about().Name, N: n, Values: v})
	}
}

// used is the CPU time of each supervisor with its helpers, those that have ended too.
func (b *bench) used(all []*session) (out []time.Duration) {
	table := processTable()
	for _, x := range all {
		var sum time.Duration
		for _, pid := range x.supervising(table) {
			sum += cpuOf(pid) + table[pid].reaped
		}
		out = append(out, sum)
	}
	return out
}
