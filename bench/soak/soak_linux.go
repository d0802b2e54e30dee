package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/control"
)

// soak is the whole: a quiet state, noise, and the same quiet state again, which must be like the first.
func soak(ctx context.Context, o options) (faults []string, err error) {
	for _, d := range []string{ledgerDir, "counted"} {
		if err := os.Mkdir(filepath.Join(o.dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	if err := calmDown(o.dir, true); err != nil {
		return nil, err
	}
	asked, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer asked.Close()
	go func() { _ = http.Serve(asked, &askedServer{dir: o.dir, crash: o.crash}) }()
	m, err := newSpec(o, asked.Addr().String())
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(o.out, "%d services, %v of noise, seed %d, in %s\n", len(m.services), o.length, o.seed, o.dir)
	h, err := startHost(ctx, o, m.yaml())
	defer func() {
		if h != nil && h.cmd.Process != nil {
			h.kill()
		}
	}()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, lastLines(filepath.Join(o.dir, "host.out"), 20))
	}
	rec, err := newRecorder(ctx, o, h)
	if err != nil {
		return nil, err
	}
	defer rec.close()
	if err := settle(ctx, h, m); err != nil {
		return nil, err
	}
	// Once of everything, so that what is made at the first use is there before.
	if err := scrapeOnce(ctx, m.listen); err != nil {
		return nil, err
	}
	h.cli(ctx, "logs", "-n", "10")
	h.cli(ctx, "restart", "idle-001")
	began := time.Now()
	if err := rec.quiet(ctx, phaseBefore); err != nil {
		return nil, err
	}
	fmt.Fprintf(o.out, "%s  quiet; now the noise\n", time.Now().Format(time.TimeOnly))
	if err := calmDown(o.dir, false); err != nil {
		return nil, err
	}
	n := newNoise(o, h, m)
	rec.phase(phaseNoise)
	if err := n.run(ctx); err != nil {
		return nil, err
	}
	rec.phase(phaseSettle)
	faults = n.faults
	if ctx.Err() != nil {
		faults = append(faults, "it was interrupted")
		ctx = context.WithoutCancel(ctx)
	}
	fmt.Fprintf(o.out, "%s  %s\n", time.Now().Format(time.TimeOnly), n.summary(o.dir))
	if err := calmDown(o.dir, true); err != nil {
		return nil, err
	}
	m.mended(o)
	if err := h.save(m.yaml(), false); err != nil {
		return nil, err
	}
	// In this order: what an operator stopped stays so, also when an edit brings it back.
	for _, args := range [][]string{{"reload"}, {"start", "--all", "--no-wait"}} {
		if out, code := h.cli(ctx, args...); code != 0 {
			faults = append(faults, fmt.Sprintf("host %s ended with %d: %s", strings.Join(args, " "), code, lastLine(out)))
		}
	}
	if err := settle(ctx, h, m); err != nil {
		faults = append(faults, err.Error())
	}
	if err := rec.quiet(ctx, phaseAfter); err != nil {
		return faults, err
	}
	all := rec.samples()
	faults = append(faults, judge(o.out, all, o.quiet)...)
	faults = append(faults, processes(h, m)...)
	faults = append(faults, dropped(ctx, h)...)
	faults = append(faults, end(h, o)...)
	lines, more := countLines(o.dir)
	faults = append(faults, more...)
	last := all[len(all)-1]
	fmt.Fprintf(o.out, "%d numbered lines, CPU of the host %.1f s in %v, logs %d MiB, journal %d MiB\n", lines, last.CPU.Seconds(),
		time.Since(began).Round(time.Second), last.Logs>>10, last.Journal>>10)
	return faults, nil
}

// newSpec is the model at its start.
func newSpec(o options, asked string) (*model, error) {
	m := newModel(o)
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	m.self, m.asked = []string{exe}, asked
	m.env = map[string]string{envDir: o.dir, envCrash: o.crash.String(), envPace: (o.crash / 5).String()}
	m.listen, err = freePort()
	return m, err
}

// calmDown tells all children to be quiet, or no longer.
func calmDown(dir string, on bool) error {
	path := filepath.Join(dir, calmFile)
	if on {
		return os.WriteFile(path, nil, 0o600)
	}
	return os.Remove(path)
}

// askedServer answers the probes of those without a server, mostly well.
type askedServer struct {
	dir   string
	crash time.Duration
	mu    sync.Mutex
	ill   map[string]time.Time
}

func (a *askedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := &program{dir: a.dir}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ill == nil {
		a.ill = map[string]time.Time{}
	}
	until, known := a.ill[r.URL.Path]
	if !known || time.Since(until) > 0 {
		a.ill[r.URL.Path] = time.Now().Add(around(a.crash))
		say(w, true)
		return
	}
	// The last tenth of each while it is not ready.
	say(w, p.calm() || time.Until(until) > a.crash/10)
}

// wanted is the state that an instance has to be in when all is quiet.
func (s *service) wanted() []string {
	switch {
	case s.disabled || s.stopped:
		return []string{"stopped"}
	case s.job == "scheduled":
		return []string{"waiting", "starting", "running"}
	case s.job == "oneshot":
		return []string{"exited"}
	}
	return []string{"running"}
}

// patience is how long everything may take to be as the last edit wants it.
const patience = 3 * time.Minute

// settle waits until everything is as the spec wants it.
func settle(ctx context.Context, h *host, m *model) error {
	var off []string
	err := h.poll(ctx, patience, "everything to be as the spec wants it", func() (bool, error) {
		s, err := h.status(ctx)
		if err != nil {
			return false, err
		}
		off = off[:0]
		if s.Host.Spec.State != control.SpecApplied {
			off = append(off, "the spec is "+string(s.Host.Spec.State)+" "+s.Host.Spec.Reason)
		}
		want := 0
		for _, w := range m.services {
			want += w.instances
		}
		if len(s.Services) != want {
			off = append(off, fmt.Sprintf("there are %d instances instead of %d", len(s.Services), want))
		}
		for _, v := range s.Services {
			w := m.services[v.Name]
			if w == nil {
				off = append(off, v.ID+" should not be there")
				continue
			}
			if !slices.Contains(w.wanted(), v.State) || v.Spec.State != "applied" || v.Health == "unhealthy" || v.Rollout != nil {
				off = append(off, fmt.Sprintf("%s is %s, %s, %s: %s", v.ID, v.State, v.Health, v.Spec.State, v.Reason))
			}
		}
		return len(off) == 0, nil
	})
	if err != nil && len(off) > 0 {
		return fmt.Errorf("%w: %d are not, first: %s", err, len(off), strings.Join(off[:min(5, len(off))], "; "))
	}
	return err
}

// processes compares those that carry our mark with those that should be there while it is quiet.
func processes(h *host, m *model) []string {
	want, jobs := 0, 0
	for _, s := range m.services {
		switch {
		case s.job != "":
			jobs++ // may run just now
		default:
			want += s.instances * s.behaviour.processes
		}
	}
	var have map[int]string
	err := h.poll(context.Background(), 20*time.Second, "", func() (bool, error) {
		have = marked(h.dir)
		return len(have) >= want && len(have) <= want+jobs, nil
	})
	if err == nil {
		return nil
	}
	kinds := map[string]int{}
	for _, line := range have {
		fields := strings.Fields(line)
		kinds[strings.Join(fields[min(2, len(fields)):min(3, len(fields))], " ")]++
	}
	return []string{fmt.Sprintf("%d processes live where %d to %d should, by kind: %v", len(have), want, want+jobs, kinds)}
}

// dropped reads from the metrics whether lines were dropped.
func dropped(ctx context.Context, h *host) (faults []string) {
	var b strings.Builder
	if err := h.client.Metrics(ctx, &b); err != nil {
		return []string{"metrics: " + err.Error()}
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "servicehost_log_dropped_lines_total") && !strings.HasSuffix(line, " 0\n") {
			faults = append(faults, "lines were dropped: "+strings.TrimSpace(line))
		}
	}
	return faults
}

// end stops the host and sees that nothing is left.
func end(h *host, o options) (faults []string) {
	faults = h.stop()
	for pid, line := range marked(o.dir) {
		faults = append(faults, fmt.Sprintf("PID %d was left behind: %s", pid, line))
	}
	if n := h.cgroups(); n > 0 {
		faults = append(faults, fmt.Sprintf("%d cgroups were left behind", n))
	}
	if h.guard != 0 {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", h.guard)); err == nil && strings.HasPrefix(string(name), "host-guard") {
			faults = append(faults, "the guard was left behind")
		}
	}
	return faults
}

// summary says what the noise was.
func (n *noise) summary(dir string) string {
	list := make([]string, 0, len(n.counts)+1)
	for _, what := range slices.Sorted(maps.Keys(n.counts)) {
		list = append(list, fmt.Sprintf("%d %s", n.counts[what], what))
	}
	if st, err := os.Stat(filepath.Join(dir, "starts")); err == nil {
		list = append(list, fmt.Sprintf("%d processes started", st.Size()))
	}
	return strings.Join(list, ", ")
}

// recorder samples by itself, into a file too.
type recorder struct {
	o    options
	h    *host
	file *os.File
	mu   sync.Mutex
	name string
	all  []sample
	err  error
	stop context.CancelFunc
	done chan struct{}
}

func newRecorder(ctx context.Context, o options, h *host) (*recorder, error) {
	path := o.csv
	if path == "" {
		path = filepath.Join(o.dir, "samples.csv")
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteString(csvHead); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r := &recorder{o: o, h: h, file: f, name: phaseStart, done: make(chan struct{})}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	go r.loop(ctx)
	return r, nil
}

func (r *recorder) loop(ctx context.Context) {
	defer close(r.done)
	began := time.Now()
	tick := time.NewTicker(r.o.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at := time.Since(began)
		s, err := r.h.sample(ctx)
		if ctx.Err() != nil {
			return
		}
		r.mu.Lock()
		s.At, s.Phase = at, r.name
		if err == nil {
			r.all = append(r.all, s)
			_, err = r.file.WriteString(s.csv())
		}
		if r.err == nil {
			r.err = err
		}
		r.mu.Unlock()
	}
}

func (r *recorder) phase(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.name = name
}

func (r *recorder) samples() []sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// quiet waits while samples are taken, and some at least.
func (r *recorder) quiet(ctx context.Context, phase string) error {
	r.phase(phase)
	select {
	case <-time.After(max(r.o.quiet, 3*r.o.every+r.o.every/2)):
	case <-r.h.done:
		return errHostEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return fmt.Errorf("cannot sample: %w", r.err)
	}
	return nil
}

func (r *recorder) close() {
	r.stop()
	<-r.done
	_ = r.file.Close()
}
