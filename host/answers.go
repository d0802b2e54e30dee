package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/host/supervisor"
	"servicehost/host/usage"
	"servicehost/reload"
	"servicehost/spec"
)

// Status is `host status`.
func (h *Host) Status(context.Context) (control.Status, error) {
	use := h.usage.Now(false)
	return h.status(func(id string) usage.Sample { return use[id] }), nil
}

// status is how everything stands, with this usage.
func (h *Host) status(use func(id string) usage.Sample) control.Status {
	snaps := h.sup.Snapshots()
	out := control.Status{Services: make([]control.ServiceStatus, len(snaps))}
	rolledBack, paused := "", h.pausedNow(false)
	for n, p := range snaps {
		out.Services[n] = h.service(p, use(p.ID))
		if paused {
			holdBack(p, &out.Services[n])
		}
		if p.SpecState == supervisor.SpecRolledBack && rolledBack == "" {
			rolledBack = fmt.Sprintf("service %q runs the spec that worked before: %s", p.ID, p.RejectWhy)
		}
	}
	out.Host = control.HostStatus{Version: h.opt.Version, PID: os.Getpid(), StartedAt: h.started, Spec: h.view(rolledBack)}
	h.mu.Lock()
	out.Host.Name, out.Host.Paused, out.Host.Stopping = h.current.Host.Name, h.paused, h.stopping
	h.mu.Unlock()
	out.Host.LogTargets = h.targets()
	out.Host.Notify = h.notifiers()
	if c, ok := reload.ReadCommit(out.Host.Spec.Path); ok {
		out.Host.Spec.Commit, out.Host.Spec.Subject = c.Hash, c.Subject
	}
	return out
}

// shownLines is how many last lines status shows of a service that is not as desired.
const shownLines = 5

func (h *Host) service(p *supervisor.Snapshot, u usage.Sample) control.ServiceStatus {
	v := control.ServiceStatus{
		Name: p.Key.Service, Instance: p.Key.Instance, ID: p.ID, Type: string(p.Spec.Type), State: string(p.State), Health: string(p.Health), Desired: "up",
		Reason: p.Reason, PID: p.PID, Restarts: p.Restarts, Since: p.Since, Port: p.Port, Description: p.Spec.Description,
		Spec: control.ServiceSpecStatus{State: p.SpecState, Hash: p.Spec.Hash, Rejected: p.Rejected},
	}
	used(&v, p, u)
	if !p.Up {
		v.Desired, v.DesiredBy = "down", p.DownBy
		if !p.Until.IsZero() {
			v.DesiredUntil = &p.Until
		}
	}
	if !p.StartedAt.IsZero() {
		v.StartedAt = &p.StartedAt
	}
	if !p.NextTry.IsZero() {
		v.NextRun = &p.NextTry
	}
	if x := p.LastExit; x != nil {
		v.LastExit = &control.ExitStatus{Code: x.Code, Signal: x.Signal, Text: x.Text, At: p.ExitAt}
	}
	v.HealthReason = p.HealthReason
	if p.PID != 0 {
		v.Probes, v.StatusText = h.probes.of(p.Run)
	}
	for _, r := range slices.Backward(p.Runs) {
		v.Runs = append(v.Runs, control.RunStatus{StartedAt: r.StartedAt, EndedAt: r.EndedAt, DurationMS: r.Duration.Milliseconds(), Code: r.Code, Signal: r.Signal, Text: r.Text, Success: r.Success, By: r.By})
	}
	if o := p.Rollout; o != nil {
		v.Rollout = &control.RolloutStatus{State: o.State, PID: o.PID, Since: o.Since, Reason: o.Reason}
	}
	v.Thresholds = h.crossed(p.ID)
	v.AsDesired = asDesired(p)
	if !v.AsDesired {
		v.LastLines = h.sup.LastLines(p.Key, shownLines)
	}
	return v
}

// asDesired reports whether nothing is amiss: not failed, in backoff or waiting for something.
func asDesired(p *supervisor.Snapshot) bool {
	switch p.State {
	case supervisor.Failed, supervisor.Backoff:
		return false
	case supervisor.Waiting: // a job that waits for nothing but its time is all right
		return p.Spec.Type == spec.TypeScheduled && !p.NextTry.IsZero() && !p.Unmet
	case supervisor.Stopped:
		return !p.Up
	case supervisor.Starting, supervisor.Running, supervisor.Stopping, supervisor.Killing, supervisor.Exited:
	}
	return p.SpecState != supervisor.SpecRolledBack && p.Health != supervisor.HealthUnhealthy && p.Stalled == ""
}

// Act is start, stop, restart, signal and rotate.
func (h *Host) Act(ctx context.Context, r control.ActRequest) (control.ActResult, error) {
	if len(r.Names) == 0 && !r.All {
		return control.ActResult{}, &control.Error{Status: 400, Message: "no service named", Hint: "name services, or use --all"}
	}
	a := supervisor.Act{Verb: supervisor.Verb(r.Verb), Names: r.Names, Signal: r.Signal, Actor: r.Actor, NoWait: r.NoWait}
	if r.Verb == control.VerbSignal {
		do, err := signalFor(r.Signal)
		if err != nil {
			return control.ActResult{}, &control.Error{Status: 400, Message: err.Error(), Hint: "use a name such as HUP, SIGUSR1 or ctrl_c"}
		}
		a.Signal = do
	}
	if r.All {
		a.Names = nil
	}
	if r.Until != nil {
		a.Until = *r.Until
	}
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Timeout)
		defer cancel()
	}
	outs, err := h.sup.Do(ctx, a)
	if r.Verb == control.VerbRotate && r.All && h.logFile != nil {
		_ = h.log.Sync() // it never fails: what was told before belongs into the file before
		err = errors.Join(err, h.logFile.Rotate())
	}
	var unknown *supervisor.UnknownError
	var job *supervisor.JobError
	switch {
	case errors.As(err, &unknown):
		return control.ActResult{}, &control.Error{Status: 404, Message: unknown.Error(), Hint: "there are: " + strings.Join(unknown.Have, ", ")}
	case errors.As(err, &job):
		return control.ActResult{}, &control.Error{Status: 409, Message: job.Message, Hint: job.Hint}
	case errors.Is(err, supervisor.ErrStopping):
		return control.ActResult{}, errStopping()
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return control.ActResult{}, err
	}
	res := control.ActResult{Services: []control.ActOutcome{}}
	for _, o := range outs {
		v := control.ActOutcome{ID: o.Snapshot.ID, OK: o.OK, State: string(o.Snapshot.State), PID: o.Snapshot.PID, Reason: o.Snapshot.Reason}
		if o.Err != nil {
			v.Reason = o.Err.Error()
		}
		res.Services = append(res.Services, v)
	}
	return res, nil
}

// Pause is pause and resume. An edit made meanwhile is taken in with the resume.
func (h *Host) Pause(ctx context.Context, on bool, actor string) error {
	what := "pause"
	if !on {
		what = "resume"
	}
	h.set(func(s *specState) { s.paused = on })
	if err := h.sup.Pause(on); err != nil {
		return errStopping()
	}
	h.publish(journal.Event{Kind: journal.OperatorAction, Reason: what, Actor: actor})
	if !on {
		return h.inLoop(ctx, func() {
			if h.takeMissed() {
				h.takeIn(h.ctx, control.ReloadRequest{Actor: "the file changed during the pause"}, true)
			}
		})
	}
	return nil
}

// Events is `host events`.
func (h *Host) Events(ctx context.Context, r control.EventsRequest, send func(journal.Event) error) error {
	q := journal.Query{Services: r.Services, Kinds: r.Kinds, Since: r.Since, Until: r.Until, Last: r.Last}
	if r.Follow && (r.Until.IsZero() || time.Now().Before(r.Until)) {
		if !r.Until.IsZero() {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, r.Until)
			defer cancel()
		}
		return h.journal.Follow(ctx, q, send)
	}
	if err := h.journal.Flush(); err != nil {
		return err
	}
	return journal.Read(filepath.Join(h.store.Dir(), "journal"), q, send)
}

// Shutdown ends the host.
func (h *Host) Shutdown(_ context.Context, actor string) error {
	h.publish(journal.Event{Kind: journal.OperatorAction, Reason: "shutdown", Actor: actor})
	h.shutdown(fmt.Errorf("%w by %s", errAsked, actor))
	return nil
}
