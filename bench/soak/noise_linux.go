package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/control"
)

// noise is everything that people and other programs do to a host. The model and the maps belong to the goroutine of
// run; what goes on beside it only counts.
type noise struct {
	o     options
	h     *host
	m     *model
	rnd   *rand.Rand
	wg    sync.WaitGroup   // of everything that goes on beside it
	slots chan struct{}    // commands that run
	pids  map[string]known // of services that do nothing by themselves
	off   map[string]time.Time

	mu     sync.Mutex
	counts map[string]int
	faults []string
}

// known is a process at a check.
type known struct {
	pid int
	at  time.Time
}

func newNoise(o options, h *host, m *model) *noise {
	return &noise{o: o, h: h, m: m, rnd: rand.New(rand.NewPCG(o.seed, 1)), slots: make(chan struct{}, 4), pids: map[string]known{}, off: map[string]time.Time{}, counts: map[string]int{}}
}

func (n *noise) count(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.counts[what]++
}

// fault remembers what is wrong; of many, the first.
func (n *noise) fault(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.faults) < 20 {
		n.faults = append(n.faults, fmt.Sprintf(format, args...))
	}
}

// run makes noise until the time is over or ctx ends.
func (n *noise) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.o.length)
	defer func() { cancel(); n.wg.Wait() }()
	for reader := range 3 {
		n.wg.Go(func() { n.read(ctx, reader) })
	}
	if n.o.scrape > 0 {
		n.wg.Go(func() { n.scrape(ctx) })
	}
	edit, command := time.NewTimer(0), time.NewTicker(max(100*time.Millisecond, n.o.edit/2))
	check := time.NewTicker(max(time.Second, min(10*time.Second, n.o.length/10)))
	defer edit.Stop()
	defer command.Stop()
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.h.done:
			return errHostEnded
		case <-edit.C:
			if err := n.edit(ctx); err != nil {
				return err
			}
			edit.Reset(time.Duration((0.5 + n.rnd.Float64()) * float64(n.o.edit)))
		case <-command.C:
			n.command(ctx)
		case <-check.C:
			n.check(ctx)
		}
	}
}

// edit changes the spec, and now and then breaks it first.
func (n *noise) edit(ctx context.Context) error {
	what := n.m.change(n.rnd, n.o.services)
	n.count("edits")
	if n.rnd.IntN(6) == 0 {
		n.count("broken edits")
		spoil := breakage[n.rnd.IntN(len(breakage))]
		if err := n.h.save(spoil(n.m.yaml()), n.rnd.IntN(2) == 0); err != nil {
			return err
		}
		err := n.h.poll(ctx, 30*time.Second, "a broken file to be rejected", func() (bool, error) {
			s, err := n.h.status(ctx)
			return err == nil && s.Host.Spec.State == control.SpecRejected, nil
		})
		if err != nil && ctx.Err() == nil {
			n.fault("edit %q: %v", what, err)
		}
	}
	return n.h.save(n.m.yaml(), n.rnd.IntN(2) == 0)
}

// command does what an operator does, by the command line.
func (n *noise) command(ctx context.Context) {
	names := slices.Sorted(maps.Keys(n.m.services))
	s := n.m.services[names[n.rnd.IntN(len(names))]]
	if n.takeBack(ctx) {
		return
	}
	var args []string
	switch n.rnd.IntN(9) {
	case 0, 1:
		if s.job != "" {
			args = []string{"run-now", s.name}
			break
		}
		s.touched = time.Now()
		args = []string{"restart", s.name}
	case 2:
		s.touched, s.stopped = time.Now(), true
		n.off[s.name] = time.Now()
		args = []string{"stop", s.name}
	case 3:
		args = []string{"rotate", s.name}
	case 4:
		args = []string{"status", "-o", "json"}
	case 5:
		args = []string{"logs", "-n", "50", s.name}
	case 6:
		args = []string{"events", "-n", "100"}
	case 7:
		args = []string{"why", s.name}
	case 8:
		args = []string{"plan"}
	}
	n.do(ctx, args...)
}

// takeBack starts what was stopped a while ago.
func (n *noise) takeBack(ctx context.Context) bool {
	for name, at := range n.off {
		if time.Since(at) < 5*time.Second {
			continue
		}
		delete(n.off, name)
		if s := n.m.services[name]; s != nil {
			s.touched, s.stopped = time.Now(), false
			n.do(ctx, "start", name)
			return true
		}
	}
	return false
}

// do runs a command beside everything else. It may fail: what it names may be gone, or be told otherwise meanwhile.
func (n *noise) do(ctx context.Context, args ...string) {
	n.wg.Go(func() {
		select {
		case n.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		defer func() { <-n.slots }()
		// Not cut short by the end of the noise: what is half done would be noise in the quiet.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		out, code := n.h.cli(ctx, args...)
		n.count("commands")
		switch {
		case code < 0:
			n.fault("host %s did not end within a minute, or was ended by a signal", strings.Join(args, " "))
		case strings.Contains(out, "panic:") && strings.Contains(out, "goroutine ") && args[0] != "logs" && args[0] != "why" && args[0] != "events":
			n.fault("host %s: %s", strings.Join(args, " "), lastLine(out))
		case code > 0 && args[0] != "status" && args[0] != "plan": // those say by it how things stand
			n.count("commands refused")
			n.note(fmt.Sprintf("%s host %s: exit %d: %s\n", time.Now().Format(time.TimeOnly), strings.Join(args, " "), code, lastLine(out)))
		}
	})
}

// note keeps what was refused, for who looks into it.
func (n *noise) note(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(n.o.dir, "refused.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.WriteString(text)
}

// read follows logs, for a while each: of all, of one, and of all but reading slowly.
func (n *noise) read(ctx context.Context, kind int) {
	for ctx.Err() == nil {
		length := time.Duration(2+rand.IntN(20)) * time.Second
		c, cancel := context.WithTimeout(ctx, length)
		args := []string{"logs", "-f", "-n", "20"}
		if kind == 1 {
			args = append(args, "flood-001")
		}
		cmd := n.h.exec(c, args...)
		cmd.WaitDelay = time.Second
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			cancel()
			n.fault("host logs -f: %v", err)
			return
		}
		if kind == 2 {
			for buf := make([]byte, 4096); c.Err() == nil; time.Sleep(200 * time.Millisecond) {
				if _, err := out.Read(buf); err != nil {
					break
				}
			}
		}
		drain(out)
		_ = cmd.Wait() // it was killed
		n.count("readers")
		if c.Err() == nil {
			n.count("readers that ended by themselves") // what they name is gone
			select {
			case <-c.Done():
			case <-ctx.Done():
			}
		}
		cancel()
	}
}

// scrape asks for the metrics as Prometheus does.
func (n *noise) scrape(ctx context.Context) {
	tick := time.NewTicker(n.o.scrape)
	defer tick.Stop()
	for {
		if err := scrapeOnce(ctx, n.m.listen); err != nil && ctx.Err() == nil {
			n.fault("metrics: %v", err)
		}
		n.count("scrapes")
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func scrapeOnce(ctx context.Context, listen string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/metrics", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the host answered %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// beingApplied is the reason of a spec that is pending for the moment only.
const beingApplied = "being applied"

// settled is how long the work that somebody asked for may take.
const settled = time.Minute

// check sees that nobody touched what nobody wanted to be touched, and that what does nothing by itself runs.
func (n *noise) check(ctx context.Context) {
	s, err := n.h.status(ctx)
	if err != nil {
		if ctx.Err() == nil {
			n.fault("status: %v", err)
		}
		return
	}
	n.count("checks")
	now := time.Now()
	if s.Host.Spec.State == control.SpecPending && s.Host.Spec.Reason != beingApplied {
		n.fault("an edit is held: %s", s.Host.Spec.Reason)
	}
	seen := map[string]known{}
	for _, v := range s.Services {
		w := n.m.services[v.Name]
		if w == nil || !w.steady || v.Instance > 1 || w.disabled || w.bad || w.stopped || now.Sub(w.touched) < settled {
			continue
		}
		if v.State != "running" {
			n.fault("%s is %s since %s (%s), and was last touched %v ago", v.ID, v.State, v.Since.Format(time.TimeOnly), v.Reason, now.Sub(w.touched).Round(time.Second))
		}
		former, ok := n.pids[v.Name]
		if ok && former.pid != v.PID && now.Sub(w.touched) > now.Sub(former.at)+settled {
			n.fault("%s was disturbed without a reason: PID %d, then %d (%s)", v.ID, former.pid, v.PID, v.Reason)
		}
		seen[v.Name] = known{v.PID, now}
		if ok && former.pid == v.PID {
			seen[v.Name] = known{v.PID, former.at}
		}
	}
	n.pids = seen
}
