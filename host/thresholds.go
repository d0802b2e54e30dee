package host

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"servicehost/host/control"
	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/supervisor"
	"servicehost/host/thresholds"
	"servicehost/spec"
)

// newThresholds returns what watches the thresholds of services. The supervisor tells it of them.
func (h *Host) newThresholds() *thresholds.Set {
	return thresholds.New(thresholds.Options{
		Tell:  h.onThreshold,
		Watch: func(ids map[string]bool) { h.usage.Watch(ids, h.limits.Sample) },
	})
}

// inForce has an instance watched by the thresholds of its spec.
func (h *Host) inForce(s *spec.Service) logs.Sink {
	return h.limits.Apply(thresholds.Key{Service: s.Name, Instance: s.Instance}, s.ID, s.Thresholds)
}

// watchRuns follows the ends of runs and of instances, from the events that tell them.
func (h *Host) watchRuns(e journal.Event) {
	if h.limits == nil {
		return
	}
	switch k := (thresholds.Key{Service: e.Service, Instance: e.Instance}); e.Kind {
	case journal.ProcessExited:
		h.limits.Ended(k, e.Incarnation)
	case journal.ServiceRemoved:
		h.limits.Forget(k)
	}
}

// onThreshold tells of a threshold and does what its spec wants done.
func (h *Host) onThreshold(t thresholds.Event) {
	do := t.Threshold.Action
	e := journal.Event{Kind: journal.Threshold, Service: t.Key.Service, Instance: t.Key.Instance, ID: t.ID, Incarnation: t.Run.Incarnation, Reason: t.Reason,
		Details: map[string]string{
			journal.DetailMeasure: t.Measure, journal.DetailLimit: thresholds.Amount(t.Measure, t.Limit), journal.DetailValue: thresholds.Amount(t.Measure, t.Value),
			journal.DetailAction: string(do.Do),
		}}
	if t.Threshold.Log != "" {
		e.Details[journal.DetailPattern] = t.Threshold.Log
	}
	p := h.runOf(t)
	if p != nil {
		e.PID = p.PID
	}
	if !t.Crossed {
		e.Kind = journal.ThresholdCleared
	}
	h.publish(e)
	switch {
	case p == nil:
	case !t.Crossed:
		if do.Do == spec.ThresholdRestart {
			h.sup.KeepRun(p.Run)
		}
	case do.Do == spec.ThresholdRestart:
		h.sup.RestartRun(p.Run, "threshold crossed: "+t.Reason)
	case do.Do == spec.ThresholdRun:
		h.sup.RunAction(p.Run, "threshold", *do.Action, []string{
			"HOST_MEASURE=" + t.Measure, "HOST_VALUE=" + strconv.FormatInt(t.Value, 10), "HOST_LIMIT=" + strconv.FormatInt(t.Limit, 10), "HOST_THRESHOLD=" + t.Reason,
		})
	case do.Do == spec.ThresholdDump:
		h.dumpRun(p, strings.ReplaceAll(t.Threshold.DumpURL, spec.AutoPort, strconv.Itoa(p.Port)))
	}
}

// runOf is the instance that an event is about, while the run that it is about is there.
func (h *Host) runOf(t thresholds.Event) *supervisor.Snapshot {
	p := h.sup.Snapshot(supervisor.Key{Service: t.Key.Service, Instance: t.Key.Instance})
	if p == nil || p.PID == 0 || t.Run != (process.RunID{}) && t.Run != p.Run {
		return nil
	}
	return p
}

// newDumps returns what writes processes down, below the state folder.
func (h *Host) newDumps(stateDir string) *thresholds.Dumper {
	return thresholds.NewDumper(filepath.Join(stateDir, "dumps"), func(ctx context.Context, argv []string) error {
		return h.sup.RunProgram(ctx, supervisor.Program{Argv: argv})
	}, logs.Free)
}

// dumpRun has a run written to disk beside everything else.
func (h *Host) dumpRun(p *supervisor.Snapshot, url string) {
	t := thresholds.Target{ID: p.ID, PID: p.PID, URL: url}
	if u, ok := h.usage.Latest(p.ID); ok {
		t.Memory = u.Memory
	}
	h.dumps.Take(h.ctx, t, func(path string, err error) {
		e := journal.Event{Kind: journal.Dumped, Service: p.Key.Service, Instance: p.Key.Instance, ID: p.ID, Incarnation: p.Run.Incarnation, PID: p.PID}
		if err != nil {
			e.Kind, e.Reason = journal.Warning, fmt.Sprintf("cannot dump service %q: %v", p.ID, err)
		} else {
			e.Reason, e.Details = "written to "+human.Path(path), map[string]string{journal.DetailPath: path}
		}
		h.publish(e)
	})
}

// closeThresholds ends the watch of thresholds, and what is being dumped.
func (h *Host) closeThresholds() {
	if h.limits != nil {
		h.limits.Close()
	}
	if h.dumps != nil {
		h.dumps.Wait()
	}
}

// crossed is what status shows.
func (h *Host) crossed(id string) []control.ThresholdStatus {
	var out []control.ThresholdStatus
	for _, t := range h.limits.Crossed(id) {
		out = append(out, control.ThresholdStatus{
			Measure: t.Measure, Limit: thresholds.Amount(t.Measure, t.Limit), Value: thresholds.Amount(t.Measure, t.Value), Since: t.At, Reason: t.Reason,
		})
	}
	return out
}
