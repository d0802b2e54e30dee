package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// What many probed services may cost: the goals.
const (
	costCore = 0.02
	costPSS  = 60 // MiB, with the guard
)

// cost measures the host while services run that do nothing. With -probed each is asked over HTTP every 10 s, the
// metrics are scraped and the status is read; the servers that answer are ours and do not count. With -sampled nobody
// looks.
func cost(ctx context.Context, o options) (faults []string, err error) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		return nil, err
	}
	count := max(o.probed, o.sampled)
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	var answered atomic.Int64
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer server.Close()
	go func() {
		_ = http.Serve(server, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answered.Add(1)
			_, _ = io.WriteString(w, "ok\n")
		}))
	}()
	var b strings.Builder
	fmt.Fprintf(&b, "host: {name: cost, http: {listen: %q}}\nenv: {%s: %q}\nservices:\n", listen, envDir, o.dir)
	for n := range count {
		health := ""
		if o.probed > 0 {
			health = fmt.Sprintf(", health: {readiness: {http: \"http://%s/s%04d\", period: 10s}}", server.Addr(), n)
		}
		fmt.Fprintf(&b, "  s%04d: {command: [%q, infinity]%s}\n", n, sleep, health)
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
	if _, err := h.pids(ctx, count, nil); err != nil {
		return nil, err
	}
	settle := 12 * time.Second // a round of all probes
	if o.probed == 0 {
		settle = 65 * time.Second // a look, as ours just now, counts for a minute
	}
	if o.probed > 0 && o.scrape > 0 {
		stop := look(ctx, h, o, listen)
		defer stop()
	}
	if err := rest(ctx, settle); err != nil {
		return nil, err
	}
	if o.profile != "" {
		stop := profile(ctx, h, o)
		defer stop()
	}
	asked := answered.Load()
	began := time.Now()
	before, err := cpuTime(h.pid())
	if err != nil {
		return nil, err
	}
	var guardBefore time.Duration
	if guardBefore, err = cpuTime(h.guard); err != nil {
		return nil, err
	}
	if err := rest(ctx, o.length); err != nil {
		return nil, err
	}
	after, err := cpuTime(h.pid())
	if err != nil {
		return nil, err
	}
	guardAfter, err := cpuTime(h.guard)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	asked = answered.Load() - asked
	used := after - before + guardAfter - guardBefore
	core := used.Seconds() / took.Seconds()
	_, pss, err := memory(h.pid())
	if err != nil {
		return nil, err
	}
	_, guard, err := memory(h.guard)
	if err != nil {
		return nil, err
	}
	mib := float64(pss+guard) / 1024
	fmt.Fprintf(o.out, "%d services for %v: CPU %v, %.2f %% of a core, %d probes answered; PSS %.1f MiB (host %.1f, guard %.1f), %d threads, %d descriptors\n",
		count, took.Round(time.Second), used.Round(100*time.Microsecond), 100*core, asked, mib, float64(pss)/1024, float64(guard)/1024,
		entries(fmt.Sprintf("/proc/%d/task", h.pid())), entries(fmt.Sprintf("/proc/%d/fd", h.pid())))
	if o.probed > 0 {
		if core >= costCore {
			faults = append(faults, fmt.Sprintf("%.2f %% of a core, under %.0f %% is the goal", 100*core, 100*costCore))
		}
		if mib >= costPSS {
			faults = append(faults, fmt.Sprintf("%.1f MiB, under %d is the goal", mib, costPSS))
		}
		if want := float64(count) * took.Seconds() / 10; float64(asked) < 0.95*want {
			faults = append(faults, fmt.Sprintf("%d probes were answered, %.0f were due", asked, want))
		}
	}
	return append(faults, end(h, o)...), nil
}

// look scrapes the metrics and reads the status, each as often as is said, until it is stopped.
func look(ctx context.Context, h *host, o options, listen string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(o.scrape)
		defer tick.Stop()
		for {
			err := scrapeOnce(ctx, listen)
			if err == nil {
				_, err = h.status(ctx)
			}
			if err != nil && ctx.Err() == nil {
				fmt.Fprintln(o.out, "cannot look:", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// profile takes a CPU profile of the host into a file, over the time of the measurement.
func profile(ctx context.Context, h *host, o options) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err := os.Create(o.profile)
		if err == nil {
			err = h.client.Profile(ctx, "cpu", o.length-time.Second, f)
			if e := f.Close(); err == nil {
				err = e
			}
		}
		if err != nil {
			fmt.Fprintln(o.out, "cannot take a profile:", err)
		}
	}()
	return func() { <-done }
}
