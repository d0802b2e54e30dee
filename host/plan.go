package host

import (
	"context"
	"slices"

	"servicehost/host/control"
	"servicehost/host/supervisor"
	"servicehost/reload"
	"servicehost/spec"
)

// diff compares what runs with next, which the binaries have dressed.
func (h *Host) diff(next *spec.Spec) reload.Plan {
	var running []*spec.Service
	for _, p := range h.sup.Snapshots() {
		running = append(running, p.Spec)
	}
	h.mu.Lock()
	old := h.current
	h.mu.Unlock()
	return reload.Diff(running, old, next)
}

// changes is a plan as it is shown, secrets redacted. A service that was rolled back from the very
// spec that is wanted stays as it is, unless it is to be retried.
func (h *Host) changes(p reload.Plan, retry []string) []control.PlanChange {
	rejected := map[supervisor.Key]string{}
	for _, s := range h.sup.Snapshots() {
		if s.Rejected != "" {
			rejected[s.Key] = s.Rejected
		}
	}
	out := []control.PlanChange{}
	if len(p.Host) > 0 {
		live, next := []control.PlanField{}, []control.PlanField{}
		for _, f := range shown(p.Host) {
			if f.Class == "live" {
				live = append(live, f)
			} else {
				next = append(next, f)
			}
		}
		if len(live) > 0 {
			out = append(out, control.PlanChange{Action: "update", Fields: live})
		}
		if len(next) > 0 {
			out = append(out, control.PlanChange{Action: "next_start", Fields: next, Reason: "takes effect when the host starts next"})
		}
	}
	for _, c := range p.Changes {
		v := control.PlanChange{Name: c.Name, Instance: c.Instance, ID: c.ID, Action: c.Action, Fields: shown(c.Fields)}
		if c.New != nil && rejected[supervisor.Key{Service: c.Name, Instance: c.Instance}] == c.New.Hash && !slices.Contains(retry, c.Name) {
			v.Action, v.Reason = "keep_rolled_back", "this spec was rolled back; edit it, or host reload --retry "+c.Name
		}
		switch {
		case v.Action == reload.ActionRestart && c.New.Type == spec.TypeService:
			v.Order, v.Parallelism = string(supervisor.OrderOf(c.Old, c.New)), c.New.Update.Parallelism
			v.Reason = whereItStands(c, h.sup.Snapshots())
		case v.Action == reload.ActionUpdate && reload.Told(c.Old, c.New):
			v.Reason = "told by on_change"
		}
		out = append(out, v)
	}
	return out
}

// whereItStands says how far a restart has come that was handed out already; "": it was not.
func whereItStands(c reload.Change, now []*supervisor.Snapshot) string {
	turn := ""
	for _, p := range now {
		if p.Key.Service != c.Name || p.Target == nil {
			continue
		}
		words := ""
		switch {
		case p.Stalled != "":
			words = "the rollout stopped with " + p.ID + ": " + p.Stalled
		case p.Rollout != nil && p.Rollout.State != supervisor.RolloutMonitoring:
			words = "under way: " + p.Rollout.State
		case p.SpecState == supervisor.SpecPending:
			words = "under way"
		}
		if p.Key.Instance != c.Instance {
			if p.Stalled != "" {
				turn = words
			} else if words != "" && turn == "" {
				turn = "waits for " + p.ID
			}
			continue
		}
		if p.Target.Hash == c.New.Hash {
			return words
		}
	}
	return turn
}

func shown(fs []reload.Field) []control.PlanField {
	var out []control.PlanField
	for _, f := range fs {
		out = append(out, control.PlanField{Path: f.Path, Old: f.Old, New: f.New, Class: f.Class})
	}
	return out
}

// Plan is `host plan`: what a reload would do now.
func (h *Host) Plan(ctx context.Context) (control.Plan, error) {
	res := h.files.Look()
	out := control.Plan{State: "applied", Hash: h.hash(), Problems: []spec.Problem{}, Changes: []control.PlanChange{}}
	h.mu.Lock()
	out.Path = h.current.Path
	h.mu.Unlock()
	if res.Spec == nil {
		out.State, out.Problems = string(control.SpecRejected), res.Problems
		return out, nil
	}
	out.Hash = res.Spec.Hash
	p := h.diff(h.binaries.dress(res.Spec))
	out.Changes = h.changes(p, nil)
	if len(out.Changes) > 0 {
		out.State = "changed"
	}
	if out.Held = h.hold(p, res.Spec, control.ReloadRequest{}, true); out.Held != "" {
		out.State = string(control.SpecPending)
	}
	return out, nil
}
