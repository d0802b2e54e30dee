package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Of the restarts that the spec of the storm allows.
const (
	stormRate  = 20 // a second, beyond the burst
	stormDelay = 50 * time.Millisecond
	stormMost  = time.Second // longest delay between two tries
)

// storm kills all services at one moment, and then has them crash at their start for a while. All must come back as
// policy and governor say, and the host must use less than half a core meanwhile.
func storm(ctx context.Context, o options) (faults []string, err error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "host: {name: storm, restarts: {rate: %d/s}}\nenv: {%s: %q, GOMAXPROCS: '1'}\n", stormRate, envDir, o.dir)
	fmt.Fprintf(&b, "defaults: {restart: {policy: always, delay: %v, factor: 2, max_delay: %v, jitter: 0, limit: 0}}\nservices:\n", stormDelay, stormMost)
	for n := range o.storm {
		command, _ := json.Marshal([]string{exe, roleChild, "doomed", fmt.Sprintf("s%03d", n)})
		fmt.Fprintf(&b, "  s%03d: {command: %s}\n", n, command)
	}
	h, err := startHost(ctx, o, b.String())
	defer func() {
		if h != nil && h.cmd.Process != nil {
			h.kill()
		}
	}()
	if err != nil {
		return nil, err
	}
	before, err := h.pids(ctx, o.storm, nil)
	if err != nil {
		return nil, err
	}
	if err := rest(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	kill, err := stormOf(h, func() error {
		for _, pid := range before {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				return err
			}
		}
		_, err := h.back(ctx, o.storm, before)
		return err
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(o.out, "%d killed at once: all back after %v, CPU of the host %v, %s of a core\n", o.storm, kill.took, kill.cpu, kill.share())
	faults = append(faults, kill.faults("all are killed")...)

	if err := rest(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	mark := filepath.Join(o.dir, stormFile)
	starts := size0(filepath.Join(o.dir, "starts"))
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return nil, err
	}
	former, err := h.pids(ctx, o.storm, nil)
	if err != nil {
		return nil, err
	}
	crash, err := stormOf(h, func() error {
		for _, pid := range former {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return rest(ctx, o.length)
	})
	if err != nil {
		return nil, err
	}
	tries := size0(filepath.Join(o.dir, "starts")) - starts
	fmt.Fprintf(o.out, "%d crash at their start for %v: %d starts, CPU of the host %v, %s of a core, %v for a start\n", o.storm, o.length, tries, crash.cpu, crash.share(), (crash.cpu / time.Duration(max(1, tries))).Round(time.Microsecond))
	faults = append(faults, crash.faults("all crash")...)
	// All that is left of the burst, and what the rate allowed meanwhile; those that are on their way count too.
	if most := int64(max(30, 2*o.storm)) + int64(crash.took.Seconds()*stormRate) + 10; tries > most {
		faults = append(faults, fmt.Sprintf("%d starts in %v, and the governor allows %d", tries, crash.took, most))
	}
	if tries < int64(o.storm) {
		faults = append(faults, fmt.Sprintf("only %d starts of %d services in %v", tries, o.storm, o.length))
	}
	if err := os.Remove(mark); err != nil {
		return nil, err
	}
	began := time.Now()
	after, err := h.back(ctx, o.storm, nil)
	if err != nil {
		return append(faults, err.Error()), nil
	}
	took := time.Since(began)
	fmt.Fprintf(o.out, "it is over: all back after %v\n", took.Round(time.Millisecond))
	if most := time.Duration(o.storm)*time.Second/stormRate + 2*stormMost + 2*time.Second; took > most {
		faults = append(faults, fmt.Sprintf("all were back after %v, and the governor needs no more than %v", took, most))
	}
	if len(after) != o.storm {
		faults = append(faults, fmt.Sprintf("%d of %d are back", len(after), o.storm))
	}
	return append(faults, end(h, o)...), nil
}

// stormTime is a storm as it was for the host.
type stormTime struct{ took, cpu time.Duration }

// stormOf measures the host while f runs, and for a second at least.
func stormOf(h *host, f func() error) (s stormTime, err error) {
	before, err := cpuTime(h.pid())
	if err != nil {
		return s, err
	}
	began := time.Now()
	if err := f(); err != nil {
		return s, err
	}
	s.took = time.Since(began).Round(time.Millisecond)
	time.Sleep(time.Until(began.Add(time.Second)))
	after, err := cpuTime(h.pid())
	s.cpu = (after - before).Round(time.Millisecond)
	return s, err
}

func (s stormTime) core() float64 { return s.cpu.Seconds() / max(1, s.took.Seconds()) }

func (s stormTime) share() string { return fmt.Sprintf("%.0f %%", 100*s.core()) }

func (s stormTime) faults(what string) []string {
	if s.core() < 0.5 {
		return nil
	}
	return []string{fmt.Sprintf("the host used %s of a core while %s, half of one is the goal", s.share(), what)}
}

// pids are the PIDs of all services, once all run and none has one of those of former.
func (h *host) pids(ctx context.Context, want int, former map[string]int) (map[string]int, error) {
	now := map[string]int{}
	err := h.poll(ctx, time.Minute, fmt.Sprintf("%d services to run", want), func() (bool, error) {
		s, err := h.status(ctx)
		if err != nil {
			return false, err
		}
		clear(now)
		for _, v := range s.Services {
			if v.State == "running" && v.PID != former[v.ID] {
				now[v.ID] = v.PID
			}
		}
		return len(now) == want, nil
	})
	return now, err
}

// back waits until all run again, and asks only then: a status of many is work too. Processes tell by themselves.
func (h *host) back(ctx context.Context, want int, former map[string]int) (map[string]int, error) {
	old := map[int]bool{}
	for _, pid := range former {
		old[pid] = true
	}
	err := h.poll(ctx, 2*time.Minute, fmt.Sprintf("%d processes", want), func() (bool, error) {
		n := 0
		for pid := range marked(h.dir) {
			if !old[pid] {
				n++
			}
		}
		return n >= want, nil
	})
	if err != nil {
		return nil, err
	}
	return h.pids(ctx, want, former)
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func size0(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}
