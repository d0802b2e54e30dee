package host

import (
	"net/http"

	"servicehost/host/forward"
	"servicehost/host/metrics"
	"servicehost/host/notify"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

func (h *Host) newMetrics() *metrics.Collector {
	return metrics.New(metrics.Options{Read: h.reading, Version: h.opt.Version, Started: h.started})
}

// reading sets r to how all stands, for a scrape.
func (h *Host) reading(r *metrics.Reading, full bool) {
	use := h.usage.Now(full)
	snaps := h.sup.Snapshots()
	*r = metrics.Reading{
		Logs: h.logs.Stats(), Instances: metrics.Resize(r.Instances, len(snaps)), Targets: r.Targets[:0], Notifiers: r.Notifiers[:0],
	}
	rolledBack := ""
	for n, p := range snaps {
		i := &r.Instances[n]
		*i = metrics.Instance{
			Service: p.Key.Service, Number: p.Key.Instance, ID: p.ID, Job: p.Spec.Type != spec.TypeService,
			State: string(p.State), Health: string(p.Health), Wanted: p.Up, AsDesired: asDesired(p), SpecState: p.SpecState,
			StartedAt: p.StartedAt, NextStart: p.NextTry, MemoryLimit: p.Spec.Limits.Memory, Log: h.sup.LogStats(p.Key),
		}
		if u := use[p.ID]; p.PID != 0 && u.Run == p.Run {
			i.Usage = u
		}
		if p.PID != 0 {
			i.Probes = h.probes.known(p.Run).Probes
		}
		if last := len(p.Runs) - 1; last >= 0 {
			i.LastRun = metrics.Run{Success: p.Runs[last].Success, EndedAt: p.Runs[last].EndedAt, Duration: p.Runs[last].Duration}
		}
		if p.SpecState == supervisor.SpecRolledBack {
			rolledBack = p.ID
		}
	}
	s := h.view(rolledBack)
	r.Spec = metrics.Spec{State: string(s.State), Problems: len(s.Problems), AppliedAt: s.AppliedAt}
	h.mu.Lock()
	r.Name, r.Paused = h.current.Host.Name, h.paused
	h.mu.Unlock()
	for _, t := range h.forward.Stats() {
		r.Targets = append(r.Targets, metrics.Target{
			Name: t.Name, Type: string(t.Type), Up: t.State == forward.StateOK, SentRecords: t.SentRecords, SentBytes: t.SentBytes,
			DroppedRecords: t.DroppedRecords, DroppedBytes: t.DroppedBytes, WaitingRecords: t.WaitingRecords, SpooledBytes: t.SpooledBytes,
		})
	}
	for _, n := range h.notify.Stats() {
		r.Notifiers = append(r.Notifiers, metrics.Notifier{
			Name: n.Name, Kind: string(n.Kind), Up: n.State == notify.StateOK, Sent: n.Sent, Failed: n.Failed, Waiting: n.Waiting,
		})
	}
}

// Metrics is `GET /v1/metrics`, and what host.http serves at /metrics.
func (h *Host) Metrics() http.Handler { return h.metrics }

// Vars is what /debug/vars tells beside the variables of the program.
func (h *Host) Vars() map[string]any { return h.metrics.Vars() }
