package host

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"servicehost/host/control"
	"servicehost/host/probe"
	"servicehost/host/process"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// probes lets the supervisor ask by a probe.Set.
type probes struct {
	set     *probe.Set
	sockets string // their folder

	mu      sync.Mutex
	watches map[process.RunID]*probe.Watch // for those who ask how a run is
}

func newProbes(stateDir string) *probes {
	p := &probes{set: probe.NewSet(probe.Options{}), sockets: filepath.Join(stateDir, "notify"), watches: map[process.RunID]*probe.Watch{}}
	probe.ClearSockets(p.sockets)
	return p
}

// ear is a socket for sd_notify.
type ear struct {
	*probe.Socket
	health spec.Health
	serve  sync.Once
	heard  atomic.Pointer[probe.Watch] // by whom; nil: by nobody
}

func (e *ear) Env() []string { return e.Socket.Env(&e.health) }

// Close implements supervisor.Ear.
func (e *ear) Close() { go e.Socket.Close() } // it waits for a message that is being taken

func (e *ear) hear(m probe.Message) {
	if w := e.heard.Load(); w != nil {
		w.Notify(m)
	}
}

// Listen implements supervisor.Probes.
func (p *probes) Listen(s *spec.Service) (supervisor.Ear, error) {
	if !probe.NeedsSocket(&s.Health) {
		return nil, nil
	}
	socket, err := probe.Listen(probe.SocketOptions{Dir: p.sockets, Account: s.User, LowIntegrity: s.Integrity == "low"})
	if err != nil {
		return nil, err
	}
	return &ear{Socket: socket, health: s.Health}, nil
}

// watch is the asking of one run.
type watch struct {
	*probe.Watch
	probes *probes
	run    process.RunID
	ear    *ear // nil: it needs none
}

var changes = map[probe.EventKind]supervisor.HealthChange{
	probe.StartupPassed: supervisor.StartupPassed, probe.StartupFailed: supervisor.StartupFailed,
	probe.Ready: supervisor.BecameReady, probe.NotReady: supervisor.BecameNotReady, probe.LivenessFailed: supervisor.LivenessFailed,
}

// Watch implements supervisor.Probes.
func (p *probes) Watch(w supervisor.Watched, report func(supervisor.HealthEvent)) supervisor.HealthWatch {
	v := watch{probes: p, run: w.Run}
	v.Watch = p.set.Watch(probe.Run{Key: w.Run.String(), Port: w.Port, Exec: w.Exec}, &w.Spec.Health, func(e probe.Event) {
		if c, ok := changes[e.Kind]; ok {
			report(supervisor.HealthEvent{Change: c, Reason: e.Reason})
		}
		if e.Kind == probe.ProgramTold && e.Message.Extend > 0 {
			report(supervisor.HealthEvent{Change: supervisor.AskedForTime, Until: e.At.Add(e.Message.Extend)})
		}
	})
	p.mu.Lock()
	p.watches[w.Run] = v.Watch
	p.mu.Unlock()
	if e, ok := w.Ear.(*ear); ok {
		v.ear = e
		e.SetMain(w.PID)
		e.heard.Store(v.Watch)
		e.serve.Do(func() { e.Serve(e.hear) })
	}
	return v
}

func (w watch) Apply(h spec.Health) { w.Watch.Apply(&h) }

func (w watch) Pause(on bool) {
	if on {
		w.Watch.Pause()
	} else {
		w.Resume()
	}
}

func (w watch) Stop() {
	w.Watch.Stop()
	w.probes.mu.Lock()
	delete(w.probes.watches, w.run)
	w.probes.mu.Unlock()
	if w.ear != nil {
		w.ear.heard.CompareAndSwap(w.Watch, nil)
	}
}

// known is what the probes of a run know.
func (p *probes) known(run process.RunID) probe.Snapshot {
	p.mu.Lock()
	w := p.watches[run]
	p.mu.Unlock()
	if w == nil {
		return probe.Snapshot{}
	}
	return w.Snapshot()
}

// of returns what the probes of a run know, and what the program says of itself.
func (p *probes) of(run process.RunID) ([]control.ProbeStatus, string) {
	known := p.known(run)
	var out []control.ProbeStatus
	for _, s := range known.Probes {
		out = append(out, control.ProbeStatus{
			Probe: string(s.Probe), Kind: s.Kind, Target: s.Target, Phase: string(s.Phase), Result: string(s.Result), At: moment(s.At),
			DurationMS: s.Duration.Milliseconds(), Failures: s.Failures, Error: s.Error, Warning: s.Warning, Next: moment(s.Next),
		})
	}
	return out, known.Told.Status
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
