package host

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"servicehost/host/control"
	"servicehost/host/notify"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// notifyWait is how long the end of the host waits for receivers of alerts; what they have not taken then is told
// by the next one.
const notifyWait = 2 * time.Second

func (h *Host) newNotify(s spec.Host) *notify.Hub {
	return notify.New(notify.Options{
		Host: s.Name, Version: h.opt.Version, Journal: h.journal, Store: h.store, Dir: filepath.Join(s.StateDir, "notify"),
		Secret: h.targetSecret, Standing: h.standing, SpecStanding: h.specStanding, Tell: h.publish,
		Run: func(ctx context.Context, p notify.Program) error {
			return h.sup.RunProgram(ctx, supervisor.Program{Argv: p.Argv, Env: p.Env, StdinFile: p.StdinFile})
		},
	})
}

func (h *Host) closeNotify() {
	ctx, cancel := context.WithTimeout(context.Background(), notifyWait)
	defer cancel()
	h.notify.Close(ctx)
}

// standing is how a service is, for the end of an alert.
func (h *Host) standing(service string, instance int) notify.Standing {
	for _, p := range h.sup.Snapshots() {
		if p.Key == (supervisor.Key{Service: service, Instance: instance}) {
			well, text := wellNow(p)
			return notify.Standing{Known: true, Well: well, Text: text, RolledBack: p.SpecState == supervisor.SpecRolledBack}
		}
	}
	return notify.Standing{}
}

// wellNow reports whether there is nothing left of a failure. A job that runs again has to come to a good end first.
func wellNow(p *supervisor.Snapshot) (bool, string) {
	job := p.Spec.Type != spec.TypeService
	switch p.State {
	case supervisor.Running:
		text := "running"
		if p.Spec.Health.Readiness != nil || p.Spec.Health.Startup != nil {
			text += " and ready"
		}
		return !job && p.Health == supervisor.HealthHealthy, text
	case supervisor.Stopped:
		return true, cmp.Or(p.Reason, "stopped")
	case supervisor.Exited:
		return true, p.Reason
	case supervisor.Waiting:
		last := len(p.Runs) - 1
		return p.Spec.Type == spec.TypeScheduled && !p.NextTry.IsZero() && !p.Unmet && last >= 0 && p.Runs[last].Success, "its last run was a success"
	case supervisor.Starting, supervisor.Stopping, supervisor.Killing, supervisor.Backoff, supervisor.Failed:
	}
	return false, ""
}

func (h *Host) specStanding() notify.SpecStanding {
	h.mu.Lock()
	defer h.mu.Unlock()
	return notify.SpecStanding{Rejected: len(h.problems) > 0, Pending: h.pending != nil}
}

// notifiers are the receivers of alerts as status shows them.
func (h *Host) notifiers() []control.NotifierStatus {
	var out []control.NotifierStatus
	for _, n := range h.notify.Stats() {
		out = append(out, control.NotifierStatus{
			Name: n.Name, Kind: string(n.Kind), Template: string(n.Template), State: n.State, Since: n.Since, Reason: n.Reason,
			Sent: n.Sent, Failed: n.Failed, Waiting: n.Waiting,
		})
	}
	return out
}

// NotifyTest is `host notify test`.
func (h *Host) NotifyTest(ctx context.Context, r control.NotifyTestRequest) (control.NotifyTestResult, error) {
	results, err := h.notify.Test(ctx, r.Names, r.Actor)
	if unknown, ok := errors.AsType[*notify.UnknownError](err); ok {
		hint := "the spec has no notify section"
		if len(unknown.Have) > 0 {
			hint = "there are: " + strings.Join(unknown.Have, ", ")
		}
		return control.NotifyTestResult{}, &control.Error{Status: 404, Message: unknown.Error(), Hint: hint}
	}
	if err != nil {
		return control.NotifyTestResult{}, err
	}
	if len(results) == 0 {
		return control.NotifyTestResult{}, &control.Error{Status: 409, Message: "nobody is notified", Hint: "the spec has no notify section; see docs/notify.md"}
	}
	out := control.NotifyTestResult{Notifiers: []control.NotifyTestOutcome{}}
	for _, t := range results {
		o := control.NotifyTestOutcome{Name: t.Name, Kind: string(t.Kind), OK: t.Err == nil, DurationMS: t.Duration.Milliseconds()}
		if t.Err != nil {
			o.Reason = t.Err.Error()
		}
		out.Notifiers = append(out.Notifiers, o)
	}
	return out, nil
}
