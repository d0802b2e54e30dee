package journal

import (
	"fmt"
	"strings"
	"time"

	"servicehost/host/human"
)

// Why explains, in plain words and newest first, why the instance id (or a service with one
// instance) is as it is: its state with the reason, how the run before ended, and back to what set it
// going: an operator, a reload, a start of the host. events are in the order of the journal and may
// be of all services. Without any event of the instance the answer is empty.
func Why(events []Event, id string) []string { return WhyAt(events, id, time.Now()) }

// WhyAt is Why with the time from which ages are counted.
func WhyAt(events []Event, id string, now time.Time) []string {
	w := why{events: events, id: id, now: now}
	for i := len(events) - 1; i >= 0 && !w.done; i-- {
		w.take(i)
	}
	w.flush()
	return w.lines
}

// whyMost bounds the answer: who wants all of it reads the events.
const whyMost = 12

type why struct {
	events []Event
	id     string
	now    time.Time
	lines  []string
	state  bool   // the current state was said
	reason string // the one it was said with
	done   bool

	// A crash loop is told once: ends are counted while they read the same.
	end      string
	ends     int
	endFirst time.Time
}

func (w *why) take(i int) {
	e := w.events[i]
	if e.ID == "" && e.Service == "" {
		// Only what reaches every service ends the chain; the rest is other people's business.
		if len(w.lines) > 0 || w.ends > 0 {
			switch e.Kind {
			case HostStarted:
				w.say(e, "the host started"+because(e.Reason))
				w.done = true
			case HostStopping, HostStopped:
				w.done = true
			}
		}
		return
	}
	if e.ID != w.id && (e.ID != "" || e.Service != w.id) {
		return
	}
	switch e.Kind {
	case StateChanged:
		if !w.state {
			w.state, w.reason = true, e.Reason
			who := ""
			if e.To == "running" {
				who = process(e)
			}
			w.lines = append(w.lines, fmt.Sprintf("%s for %s%s%s", e.To, w.age(e), who, because(e.Reason)))
		} else if e.To == "stopping" && w.ends == 1 && hostEnded(e.Reason) {
			w.lines = append(w.lines, w.age(e)+" ago: "+e.Reason) // ends go on being counted
		}
	case ProcessExited, StartFailed:
		w.ended(e)
	case Started:
		if w.ends == 0 {
			w.say(e, "started"+process(e))
		}
	case Killed:
		w.say(e, "killed"+process(e)+because(e.Reason))
	case Failed:
		if e.Reason == "" || e.Reason != w.reason {
			w.say(e, string(e.Kind)+because(e.Reason))
		}
	case LimitHit:
		w.say(e, e.Reason)
	case Healthy, Unhealthy:
		w.say(e, e.Reason)
	case Skipped, Recovered, OutputDropped, LogTrouble, Warning, OrphansEnded:
		w.say(e, string(e.Kind)+because(e.Reason))
	case OperatorAction:
		if strings.HasPrefix(e.Reason, "signal ") {
			w.signal(e)
			return
		}
		w.say(e, orElse(e.Reason, "an operator acted")+by(e.Actor))
		w.done = true
	case SpecChanged:
		w.root(i, "its spec changed"+because(e.Reason))
	case ServiceAdded:
		w.root(i, "added to the spec"+because(e.Reason))
	case ServiceRemoved:
		w.root(i, "removed from the spec"+because(e.Reason))
	case RolledBack:
		w.say(e, "rolled back"+because(e.Reason))
	}
	w.done = w.done || len(w.lines) >= whyMost
}

// hostEnded reports whether a run was ended by the host itself for a reason that no other event tells.
func hostEnded(reason string) bool {
	for _, p := range []string{"liveness probe failed", "startup probe failed", "it ran for max_runtime"} {
		if strings.HasPrefix(reason, p) {
			return true
		}
	}
	return false
}

// signalTime is how long an end may come behind the signal that is told as part of its story.
const signalTime = time.Minute

// signal tells of one that was sent shortly before an end. Any other explains nothing, for the run went on.
func (w *why) signal(e Event) {
	if w.ends > 0 && w.endFirst.Sub(e.Time) < signalTime {
		w.say(e, e.Reason+by(e.Actor))
	}
}

// root says what the files asked for, and the reload that brought it.
func (w *why) root(i int, what string) {
	e := w.events[i]
	w.say(e, what+by(e.Actor))
	if r, ok := w.reload(i); ok {
		if r.Kind == HostStarted {
			w.say(r, "the host started"+because(r.Reason))
		} else {
			// The actor of a reload may be a person or "the file changed".
			who := r.Actor
			if who != "" {
				who = " (" + who + ")"
			}
			w.say(r, "reload"+who+because(r.Reason))
		}
	}
	w.done = true
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
	for k := i - 1; k >= 0; k-- {
		e := w.events[k]
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

// ended collects ends that read the same.
func (w *why) ended(e Event) {
	text := e.Reason
	if e.Exit != nil && e.Exit.Text != "" {
		text = e.Exit.Text
		if e.Exit.Uptime > 0 && !strings.Contains(text, " after ") {
			text += " after " + human.Duration(e.Exit.Uptime)
		}
	}
	if e.Kind == StartFailed && !strings.HasPrefix(text, "start failed") && !strings.HasPrefix(text, "cannot start") {
		text = "start failed" + because(text)
	}
	text = orElse(text, "ended")
	kind, _, _ := strings.Cut(text, " after ")
	if w.ends > 0 && kind != w.end {
		w.flush()
	}
	if w.ends == 0 {
		if e.Kind == StartFailed {
			w.say(e, text)
		} else {
			w.say(e, "run ended"+process(e)+": "+text)
		}
		w.end = kind
	}
	w.ends++
	w.endFirst = e.Time
}

// flush adds to the line of the last end how often the same came before it.
func (w *why) flush() {
	if n := w.ends - 1; n > 0 {
		times := "once"
		if n > 1 {
			times = fmt.Sprintf("%d times", n)
		}
		w.lines = append(w.lines, fmt.Sprintf("before that %s the same: %s, since %s ago", times, w.end, human.Duration(w.now.Sub(w.endFirst))))
	}
	w.ends = 0
}

func (w *why) say(e Event, words string) {
	w.flush()
	w.lines = append(w.lines, w.age(e)+" ago: "+words)
}

func (w *why) age(e Event) string { return human.Duration(w.now.Sub(e.Time)) }

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func by(actor string) string {
	if actor == "" {
		return ""
	}
	return " by " + actor
}

func process(e Event) string {
	if e.PID == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", e.PID)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
