package notify

import (
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// watch notes which service may be well again, and when to look. That of which nothing is open costs nothing.
func (h *Hub) watch(e journal.Event, changes []change) {
	k := keyOf(e)
	for _, c := range changes {
		if c.fire != nil && k.service != "" && !c.fire.passing() {
			h.open[k] = true
		}
	}
	look := func(after time.Duration) {
		if h.open[k] || h.rolled[k] {
			h.looks[k] = time.Now().Add(after)
		}
	}
	switch e.Kind {
	case journal.StateChanged:
		switch e.To {
		case "running":
			look(settleTime)
		case "stopped", "exited", "waiting":
			look(lookAfter)
		default:
			delete(h.looks, k)
		}
	case journal.Healthy, journal.Recovered:
		look(lookAfter)
	case journal.RolledBack:
		h.rolled[k] = true
	case journal.ServiceRemoved:
		delete(h.open, k)
		delete(h.rolled, k)
		delete(h.looks, k)
	case journal.ReloadApplied:
		for k := range h.rolled {
			h.looks[k] = time.Now().Add(settleTime)
		}
	}
	h.armLook()
}

// armLook sets the clock for the next look.
func (h *Hub) armLook() {
	if h.closed {
		return
	}
	var at time.Time
	for _, t := range h.looks {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	switch {
	case at.IsZero():
	case h.look == nil:
		h.look = time.AfterFunc(time.Until(at), h.lookAround)
	default:
		h.look.Reset(time.Until(at))
	}
}

// lookAround ends the alerts of services that are well.
func (h *Hub) lookAround() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	now := time.Now()
	for k, at := range h.looks {
		if now.Before(at) {
			continue
		}
		delete(h.looks, k)
		h.lookAt(k, now)
	}
	h.armLook()
}

func (h *Hub) lookAt(k key, now time.Time) {
	s := h.o.Standing(k.service, k.instance)
	e := ending{service: k.service, instance: k.instance, at: now, reason: s.Text}
	switch {
	case !s.Known:
		e.reason = "the spec names it no more"
		delete(h.open, k)
		delete(h.rolled, k)
	case s.Well:
		delete(h.open, k)
		e.events = []spec.AlertEvent{spec.AlertFailed, spec.AlertExited, spec.AlertUnhealthy}
	}
	if s.Known && !s.RolledBack && h.rolled[k] {
		delete(h.rolled, k)
		e.events = append(e.events, spec.AlertRolledBack)
	}
	if s.Known && len(e.events) == 0 {
		return
	}
	for _, n := range h.notifiers {
		n.box.put(0, change{end: &e})
	}
}
