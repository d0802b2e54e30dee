package journal

import (
	"slices"
	"strings"
	"time"
)

// upgradeTold is how long after its start a host tells what became of an upgrade, at most.
const upgradeTold = time.Minute

// ofHost takes in what happens to the host: its start is what set everything going that it keeps.
func (t *tale) ofHost(n int, e Event) {
	if e.Kind == HostStopping {
		t.stopping = &e
	}
	if e.Kind != HostStarted {
		return
	}
	t.stopping = nil
	t.pid, t.unready, t.ending, t.killed, t.signal = 0, nil, nil, nil, nil
	t.epoch++
	t.root(e, t.w.started(n))
}

// started says how it came to a start of the host.
func (w *why) started(n int) string {
	e := w.events[n]
	words := "the host started" + because(e.Reason)
	for _, next := range w.events[n+1:] {
		if next.Kind == HostStarted || next.Time.Sub(e.Time) > upgradeTold {
			break
		}
		switch next.Kind {
		case Upgraded:
			words = "the host started, upgraded" + because(next.Reason)
		case UpgradeUndone:
			words = "the host started, its upgrade undone" + because(next.Reason)
		case LastGood:
			words = "the host started with what worked last" + because(next.Reason)
		}
	}
	for _, before := range slices.Backward(w.events[:n]) {
		switch before.Kind {
		case HostStopped:
			return words
		case HostStopping:
			return words + "; the former one did not come to its end"
		case HostStarted:
			return words + "; the former one had crashed or was killed"
		}
	}
	return words
}

// edit tells of the reload that event n was a step of, and who made the edit.
func (w *why) edit(n int) []string {
	r, ok := w.reload(n)
	switch {
	case !ok:
		return nil
	case r.Kind == HostStarted:
		return []string{w.ago(r.Time) + "the host started" + because(r.Reason)}
	}
	words := "reload"
	who := EditedBy(r)
	switch actor := r.Actor; {
	case who != "" && strings.Contains(actor, "file changed"):
		words += ": " + who
	case who != "":
		words += by(actor) + ": " + who
	case actor != "":
		words += " (" + actor + ")" // a person, or "the file changed"
	}
	return []string{w.ago(r.Time) + words + because(r.Reason)}
}

// reload finds the reload that event i was a step of. It is recorded as applied shortly before or
// behind its steps, so the nearest in time is taken, or the start of the host where that is nearer.
func (w *why) reload(i int) (found Event, ok bool) {
	at := w.events[i].Time
	for _, e := range w.events[i+1:] {
		if e.Kind == HostStarted || e.Kind == HostStopping {
			break
		}
		if e.Kind == ReloadApplied {
			found, ok = e, true
			break
		}
	}
	for _, e := range slices.Backward(w.events[:i]) {
		if e.Kind != ReloadApplied && e.Kind != HostStarted && e.Kind != LastGood {
			continue
		}
		if !ok || at.Sub(e.Time) < found.Time.Sub(at) {
			found, ok = e, true
		}
		break
	}
	return found, ok
}
