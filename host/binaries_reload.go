package host

import (
	"context"
	"fmt"
	"slices"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/host/supervisor"
	"servicehost/reload"
	"servicehost/spec"
)

// takeInBinaries rolls changed binaries out, or holds them, by the rules of an edit of the file. What is
// known of the files, their problems or an edit that is held, stays as it is.
func (h *Host) takeInBinaries(ctx context.Context) {
	if !h.binaries.differs() {
		return // a reload was faster
	}
	h.opt.Manager.Reloading()
	defer h.tellReloaded()
	h.mu.Lock()
	current := h.current
	h.mu.Unlock()
	dressed := h.binaries.dress(current)
	plan := h.diff(dressed)
	what, who := binaryChanges(plan), whoReplaced(plan)
	if held := h.hold(plan, dressed, control.ReloadRequest{}, true); held != "" {
		held = what + ", and " + held
		h.set(func(s *specState) {
			if s.pending == nil {
				s.pending = current
			}
			s.held = held
		})
		h.publish(journal.Event{Kind: journal.ReloadPending, Actor: "a watched file changed", Reason: held + "; see host plan, then host reload --confirm", Details: who})
		return
	}
	changes := h.changes(plan, nil)
	h.editors.touches(changes, func() map[string]string { return who })
	applied := journal.Event{Kind: journal.ReloadApplied, Actor: "a watched file changed", Reason: h.summary(changes), Details: who}
	h.set(func(s *specState) {
		s.applying = true
		if s.pending == current { // it was held for its binaries alone
			s.pending = nil
		}
	})
	h.beginEdit(ctx, current, dressed, nil, false)
	h.publish(applied)
}

// binaryChanges names the changed files of a plan.
func binaryChanges(p reload.Plan) string {
	first, more := "", 0
	for _, c := range p.Changes {
		if c.New == nil || c.Old == nil || c.Old.Binary.Content == c.New.Binary.Content {
			continue
		}
		if first != "" {
			more++
			continue
		}
		files := c.New.Binary.Files
		if files == "" {
			files = "a watched file"
		}
		first = fmt.Sprintf("%s of service %q changed", files, c.ID)
	}
	switch {
	case first == "":
		return "watched files changed"
	case more > 0:
		return fmt.Sprintf("%s, and those of %d more", first, more)
	}
	return first
}

// keepFound keeps what runs now as the last good spec, with what is known of its watched files.
func (h *Host) keepFound() {
	h.keeping.Lock()
	defer h.keeping.Unlock()
	h.mu.Lock()
	current, broken := h.current, h.lastGood != ""
	h.mu.Unlock()
	if broken {
		return
	}
	good := *h.binaries.dress(current)
	former := map[supervisor.Key]*spec.Service{}
	for _, p := range h.sup.Snapshots() {
		if p.SpecState == supervisor.SpecRolledBack && p.Former != nil {
			former[p.Key] = p.Former
		}
	}
	if len(former) > 0 {
		good.Services = slices.Clone(good.Services)
	}
	for n, s := range good.Services {
		if f := former[keyFor(s)]; f != nil {
			good.Services[n] = f
		}
	}
	h.keepLastGood(&good)
}
