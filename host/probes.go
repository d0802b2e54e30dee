package host

import (
	"path/filepath"

	"servicehost/host/probe"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// probes lets the supervisor ask by a probe.Set.
type probes struct {
	set     *probe.Set
	sockets string // their folder
}

func newProbes(stateDir string) *probes {
	p := &probes{set: probe.NewSet(probe.Options{}), sockets: filepath.Join(stateDir, "notify")}
	probe.ClearSockets(p.sockets)
	return p
}

// ear is a socket for sd_notify.
type ear struct {
	*probe.Socket
	health spec.Health
}

func (e ear) Env() []string { return e.Socket.Env(&e.health) }

// Listen implements supervisor.Probes.
func (p *probes) Listen(s *spec.Service) (supervisor.Ear, error) {
	if !probe.NeedsSocket(&s.Health) {
		return nil, nil
	}
	socket, err := probe.Listen(probe.SocketOptions{Dir: p.sockets, Account: s.User, LowIntegrity: s.Integrity == "low"})
	if err != nil {
		return nil, err
	}
	return ear{socket, s.Health}, nil
}

// watch is the asking of one run.
type watch struct {
	*probe.Watch
	socket *probe.Socket // nil: it needs none
}

var changes = map[probe.EventKind]supervisor.HealthChange{
	probe.StartupPassed: supervisor.StartupPassed, probe.StartupFailed: supervisor.StartupFailed,
	probe.Ready: supervisor.BecameReady, probe.NotReady: supervisor.BecameNotReady, probe.LivenessFailed: supervisor.LivenessFailed,
}

// Watch implements supervisor.Probes.
func (p *probes) Watch(w supervisor.Watched, report func(supervisor.HealthEvent)) supervisor.HealthWatch {
	v := watch{}
	v.Watch = p.set.Watch(probe.Run{Key: w.Run.String(), Port: w.Port, Exec: w.Exec}, &w.Spec.Health, func(e probe.Event) {
		if c, ok := changes[e.Kind]; ok {
			report(supervisor.HealthEvent{Change: c, Reason: e.Reason})
		}
	})
	if e, ok := w.Ear.(ear); ok {
		v.socket = e.Socket
		e.SetMain(w.PID)
		e.Serve(v.Notify)
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
	if w.socket != nil {
		go w.socket.Close() // it waits for a message that is being taken
	}
}
