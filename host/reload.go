package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/host/supervisor"
	"servicehost/reload"
	"servicehost/spec"
)

// applied is how an edit ended, once its steps were done.
type applied struct {
	out supervisor.Applied
	err error
}

// watch begins to follow the inputs of the spec.
func (h *Host) watch(ctx context.Context, inputs []spec.Input) {
	h.watcher = reload.Watch(ctx, reload.Options{
		Quiet: func() time.Duration {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.current.Host.Reload.Quiet
		},
	})
	h.watcher.SetInputs(inputs)
	if err := h.watcher.Trouble(); err != nil {
		h.publish(journal.Event{Kind: journal.Warning, Reason: err.Error()})
	}
}

// reloadLoop takes in edits and requests one after the other; only waiting for their ends is done elsewhere.
func (h *Host) reloadLoop(ctx context.Context) {
	for {
		select {
		case <-h.watcher.C():
			if !h.pausedNow(true) {
				h.takeIn(ctx, control.ReloadRequest{Actor: "the file changed"}, true)
			}
		case <-h.binaries.changed:
			if !h.pausedNow(true) && !h.binaries.handled() {
				h.takeInBinaries(ctx)
			}
		case c := <-h.signals:
			h.signalled(ctx, c)
		case f := <-h.reloads:
			f()
		case <-ctx.Done():
			return
		}
	}
}

// signalled does what a signal asks for.
func (h *Host) signalled(ctx context.Context, c Control) {
	if c == ControlReload {
		h.takeIn(ctx, control.ReloadRequest{Actor: "SIGHUP"}, false)
		return
	}
	go func() { // a disk that hangs must hold up no edit
		if err := h.rotateAll(ctx, "SIGUSR1"); err != nil && ctx.Err() == nil {
			h.publish(journal.Event{Kind: journal.Warning, Actor: "SIGUSR1", Reason: err.Error()})
		}
	}()
}

// outcome is what became of a reload so far; wait is nil when there is nothing to wait for.
type outcome struct {
	result control.ReloadResult
	wait   <-chan applied
}

// takeIn loads the files and applies, holds or rejects what they say.
func (h *Host) takeIn(ctx context.Context, r control.ReloadRequest, byFile bool) outcome {
	h.opt.Manager.Reloading()
	defer h.tellReloaded()
	res := h.load()
	h.watcher.SetInputs(res.Inputs)
	who := h.editors.edited(res.Inputs, h.isHeld() || len(r.Retry) > 0)
	o := outcome{result: control.ReloadResult{Problems: []spec.Problem{}, Changes: []control.PlanChange{}}}
	if res.Spec == nil {
		h.set(func(s *specState) { s.problems, s.pending = res.Problems, nil })
		h.publish(journal.Event{Kind: journal.ReloadRejected, Actor: r.Actor, Reason: rejection(res.Problems), Details: who()})
		h.logProblems(res.Problems[1:])
		o.result.State, o.result.Problems, o.result.Hash = control.SpecRejected, res.Problems, h.hash()
		return o
	}
	next := res.Spec
	o.result.Hash = next.Hash
	if byFile && h.has(next) {
		return o // a reload by hand was faster
	}
	dressed := h.binaries.dress(next)
	plan := h.diff(dressed)
	o.result.Changes = h.changes(plan, r.Retry)
	if held := h.hold(plan, next, r, byFile); held != "" {
		h.set(func(s *specState) { s.problems, s.pending, s.held = nil, next, held })
		h.publish(journal.Event{Kind: journal.ReloadPending, Actor: r.Actor, Reason: held + "; see host plan, then host reload --confirm", Details: who()})
		o.result.State, o.result.Reason = control.SpecPending, held
		return o
	}
	for _, w := range res.Warnings {
		h.publish(journal.Event{Kind: journal.Warning, Reason: w.String()})
	}
	h.setLevel(next.Host.Log.Level)
	h.logs.Limit(next.Host.Logs)
	h.forward.Apply(next.Host.LogTargets)
	h.notify.Apply(next.Notify)
	h.web.Apply(next.Host.HTTP)
	applied := journal.Event{Kind: journal.ReloadApplied, Actor: r.Actor, Reason: h.summary(o.result.Changes)}
	h.editors.touches(o.result.Changes, who)
	o.wait = h.handOut(ctx, next, dressed, r.Retry, r.Wait)
	applied.Details = who()
	h.publish(applied)
	return o
}

func rejection(ps spec.Problems) string {
	more := ""
	if len(ps) > 1 {
		more = fmt.Sprintf(" (and %d more)", len(ps)-1)
	}
	return ps[0].String() + more
}

// hold says why an edit has to be confirmed, "" if it need not be.
func (h *Host) hold(p reload.Plan, next *spec.Spec, r control.ReloadRequest, byFile bool) string {
	h.mu.Lock()
	settings, held := h.current.Host.Reload, h.pending != nil && h.pending.Hash == next.Hash
	why := h.held
	h.mu.Unlock()
	if r.Confirm || len(p.Changes) == 0 && len(p.Host) == 0 {
		return ""
	}
	running := map[supervisor.Key]bool{}
	for _, s := range h.sup.Snapshots() {
		if s.PID != 0 {
			running[s.Key] = true
		}
	}
	guarded, reason := p.GuardRunning(settings, len(running), func(old *spec.Service) bool {
		return running[supervisor.Key{Service: old.Name, Instance: old.Instance}]
	})
	switch {
	case guarded && byFile:
		return reason
	case guarded && held: // asked for by hand, but not confirmed
		return why
	case byFile && settings.Mode == spec.ReloadManual:
		return "host.reload.mode is manual"
	}
	return ""
}

// handOut makes next, dressed with what its watched files hold, the wanted spec and returns where the end
// of its steps is told.
func (h *Host) handOut(ctx context.Context, next, dressed *spec.Spec, retry []string, monitor bool) <-chan applied {
	h.set(func(s *specState) {
		s.current, s.applying, s.pending = next, true, nil
		if s.lastGood == "" || s.appliedAt != (time.Time{}) {
			s.problems, s.lastGood = nil, ""
		}
		s.appliedAt = time.Now()
	})
	return h.beginEdit(ctx, next, dressed, retry, monitor)
}

func (h *Host) beginEdit(ctx context.Context, next, dressed *spec.Spec, retry []string, monitor bool) <-chan applied {
	end := make(chan applied, 1)
	edit, err := h.sup.Begin(dressed, retry) // here, so that edits count in their order
	h.binaries.handedOut(next, dressed)
	if err != nil {
		end <- applied{err: err}
		return end
	}
	go func() {
		out, err := edit.Wait(ctx, monitor)
		if !errors.Is(err, supervisor.ErrSuperseded) {
			h.set(func(s *specState) {
				if s.current == next {
					s.applying, s.appliedAt = false, time.Now()
				}
			})
		}
		end <- applied{out, err}
		if err == nil {
			h.keepFound()
		}
		h.trimmer.later()
	}()
	return end
}

// has reports whether next is what was handed out, with nothing amiss or held since.
func (h *Host) has(next *spec.Spec) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.binaries.differs() && len(h.problems) == 0 && h.pending == nil && h.lastGood == "" && h.current.Hash == next.Hash &&
		reload.Diff(h.current.Services, h.current, next).Empty()
}

func (h *Host) hash() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.current.Hash
}

// amiss reports whether something stood between the files and what runs: problems, an edit that was
// held, a service that went back.
func (h *Host) amiss() bool {
	h.mu.Lock()
	amiss := len(h.problems) > 0 || h.pending != nil || h.lastGood != ""
	h.mu.Unlock()
	return amiss || slices.ContainsFunc(h.sup.Snapshots(), func(p *supervisor.Snapshot) bool {
		return p.SpecState == supervisor.SpecRolledBack
	})
}

// summary names what an edit touches: restart api, web, add job. It is asked before the edit is handed out.
func (h *Host) summary(changes []control.PlanChange) string {
	switch {
	case len(changes) == 0 && h.amiss():
		return "mended, what the files say is what runs"
	case len(changes) == 0:
		return "nothing to change"
	}
	groups := map[string][]string{}
	for _, c := range changes {
		name := c.ID
		if name == "" {
			name = "host"
		}
		groups[c.Action] = append(groups[c.Action], name)
	}
	text := ""
	for _, a := range []struct{ action, words string }{
		{"remove", "remove"}, {"restart", "restart"}, {"update", "update"}, {"stop", "stop"}, {"start", "start"}, {"add", "add"},
		{"keep_rolled_back", "keep rolled back"}, {"next_start", "with the next start of the host:"},
	} {
		if names := groups[a.action]; len(names) > 0 {
			if text != "" {
				text += "; "
			}
			text += fmt.Sprintf("%s %s", a.words, listed(names))
		}
	}
	return text
}

func listed(names []string) string {
	slices.Sort(names)
	if len(names) > 5 {
		return fmt.Sprintf("%d services", len(names))
	}
	out := names[0]
	for _, n := range names[1:] {
		out += ", " + n
	}
	return out
}

// Reload is `host reload`.
func (h *Host) Reload(ctx context.Context, r control.ReloadRequest) (control.ReloadResult, error) {
	if h.pausedNow(false) {
		return control.ReloadResult{}, &control.Error{Status: 409, Message: "the host is paused", Hint: "run host resume first"}
	}
	defer h.binaries.settled(ctx)()
	var o outcome
	err := h.inLoop(ctx, func() { o = h.takeIn(h.ctx, r, false) })
	if err != nil || o.wait == nil {
		return o.result, err
	}
	select {
	case a := <-o.wait:
		return h.finished(o.result, a)
	case <-ctx.Done():
		return o.result, ctx.Err()
	}
}

// finished completes the result of a reload with how its steps ended.
func (h *Host) finished(res control.ReloadResult, a applied) (control.ReloadResult, error) {
	if a.err != nil {
		return res, &control.Error{Status: 409, Message: "cannot wait for the reload: " + a.err.Error()}
	}
	res.State = control.SpecApplied
	for _, p := range h.sup.Snapshots() { // those of an earlier reload too: the files are not what runs
		if p.SpecState == supervisor.SpecRolledBack {
			res.RolledBack = append(res.RolledBack, p.ID)
			res.Reason = fmt.Sprintf("service %q runs the spec that worked before: %s", p.ID, p.RejectWhy)
		}
	}
	for _, p := range a.out.Touched {
		switch {
		case p.SpecState == supervisor.SpecRolledBack:
		case notUp(p):
			res.Failed = append(res.Failed, p.ID)
		}
	}
	if len(res.RolledBack) > 0 {
		res.State = control.SpecRolledBack
	}
	return res, nil
}

// notUp reports whether an instance that the steps of a reload touched did not come up. The last run of a scheduled one
// says nothing of the edit: it was before, and the next one is at its time.
func notUp(p *supervisor.Snapshot) bool {
	return p.Up && p.Spec.Type != spec.TypeScheduled && (p.State == supervisor.Failed || p.State == supervisor.Backoff)
}

// inLoop runs f on the reload goroutine and waits for it.
func (h *Host) inLoop(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case h.reloads <- func() { f(); close(ran) }:
		<-ran
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-h.ended():
		return errStopping()
	}
}

func errStopping() error {
	return &control.Error{Status: 503, Message: "the host is stopping"}
}
