package journal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
)

// Why explains, in plain words and newest first, why the instance id (or a service with one instance) is as
// it is: its state with the reason, how the run before ended, and back to what set it going: an operator, an
// edit and who made it, a dependency, a start of the host. A line that begins with two blanks belongs to the one
// above it, and is about a service that this one depends on. events are in the order of the journal and may be of
// all services. Without any event of the instance the answer is empty.
func Why(events []Event, id string) []string { return WhyAt(events, id, time.Now()) }

// WhyAt is Why with the time from which ages are counted.
func WhyAt(events []Event, id string, now time.Time) []string { return Explain(events, id, now, nil) }

// Explain is WhyAt for who knows the present reasons of the instances, by id: what a waiting one waits for may
// have changed since the event that told of it.
func Explain(events []Event, id string, now time.Time, reasons map[string]string) []string {
	w := why{events: events, now: now, reasons: reasons, asked: map[string]bool{}}
	return w.lines(id, len(events), whyMost, true)
}

const (
	// whyMost bounds the answer: who wants all of it reads the events.
	whyMost = 12
	// whyNested bounds what is told of one dependency.
	whyNested = 4
	// whyDepth bounds how far dependencies are followed.
	whyDepth = 4
)

// why is one question, with the dependencies that it leads to.
type why struct {
	events  []Event
	now     time.Time
	reasons map[string]string
	asked   map[string]bool // instances that are being told of
}

// lines tells of one instance as of the first upTo events: its state, unless only the causes are wanted, and
// what led to it.
func (w *why) lines(id string, upTo, most int, state bool) []string {
	t := newTale(w, id, upTo)
	if !t.known {
		return nil
	}
	w.asked[id] = true
	defer delete(w.asked, id)
	var out []string
	if state && t.state.To != "" {
		out = append(out, w.stateLine(t))
		out = append(out, w.heldBy(t, upTo)...)
		if t.state.To == "waiting" || t.state.To == "failed" {
			out = append(out, w.dependencies(t, upTo)...)
		}
	}
	return append(out, w.causes(t, most-len(out), upTo)...)
}

// stateLine is how it stands: backoff for 12s: exit 3 after 1.2s, next try in 8s.
func (w *why) stateLine(t *tale) string {
	s := t.state
	line := s.To + " for " + w.age(s.Time)
	if s.To == "running" || s.To == "starting" {
		line += process(t.pid)
	}
	line += because(w.reason(t))
	if u := t.unready; u != nil && s.To == "running" {
		line += fmt.Sprintf("; not ready for %s%s", w.age(u.Time), because(u.Reason))
	}
	return line
}

// reason is the present one.
func (w *why) reason(t *tale) string {
	return left(orElse(w.reasons[t.id], t.state.Reason), t.state.Time, w.now)
}

// inTime finds how long something was to take when a reason was written.
var inTime = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b((?:next try|next start|tried again|its turn comes) in )((?:\d[\d.]*(?:ms|[smhd]))+)`)
})

// left rewrites such a time to what is left of it.
func left(reason string, at, now time.Time) string {
	return inTime().ReplaceAllStringFunc(reason, func(s string) string {
		m := inTime().FindStringSubmatch(s)
		d, ok := duration(m[2])
		switch rest := d - now.Sub(at); {
		case !ok:
			return s
		case rest > 0:
			return m[1] + human.Duration(rest)
		}
		return strings.TrimSuffix(m[1], "in ") + "due"
	})
}

// duration reads what human.Duration wrote.
func duration(s string) (time.Duration, bool) {
	if days, rest, ok := strings.Cut(s, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		more, err2 := time.ParseDuration(orElse(rest, "0s"))
		return 24*d + more, err == nil && err2 == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

// heldBy tells of a pause of the host, where that keeps the instance from going on.
func (w *why) heldBy(t *tale, upTo int) []string {
	held := t.state.To == "backoff" || t.state.To == "failed" || t.state.To == "waiting" && strings.Contains(w.reason(t), "paused")
	if !held {
		return nil
	}
	for _, e := range slices.Backward(w.events[:upTo]) {
		if !ofHost(e) {
			continue
		}
		switch {
		case e.Kind == HostStarted || e.Kind == OperatorAction && e.Reason == "resume":
			return nil
		case e.Kind == OperatorAction && e.Reason == "pause":
			return []string{w.ago(e.Time) + "the host was paused" + by(e.Actor) + "; nothing is started again until host resume"}
		}
	}
	return nil
}

// onOther finds the instances that a reason speaks of: those that this one waits for or depends on.
var onOther = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:waits for|its dependency) "([A-Za-z0-9_.-]+)"`) })

// dependencies tells why what the instance waits for is as it is.
func (w *why) dependencies(t *tale, upTo int) (out []string) {
	for _, m := range onOther().FindAllStringSubmatch(w.reason(t), 3) {
		out = append(out, w.nested(m[1], upTo, true)...)
	}
	return out
}

// nested tells of another instance, indented.
func (w *why) nested(id string, upTo int, state bool) (out []string) {
	if w.asked[id] || len(w.asked) >= whyDepth {
		return nil
	}
	for _, l := range w.lines(id, upTo, whyNested, state) {
		if inner := strings.TrimLeft(l, " "); inner == l {
			l = id + ": " + l
		}
		out = append(out, "  "+l)
	}
	return out
}

// causes are the facts newest first, down to the one that set it going.
func (w *why) causes(t *tale, most, upTo int) (out []string) {
	facts := t.facts
	for n := len(facts) - 1; n >= 0 && len(out) < most; n-- {
		f, now := facts[n], w.reason(t)
		switch {
		case f.light && (f.epoch != t.epoch || now != "" && strings.Contains(f.text, now)):
			continue
		case t.state.To == "failed" && (f.key == givenUp+now || f.key == givenUp+t.state.Reason): // as its state says
			continue
		}
		text := f.text
		if f.lastLine != "" && !strings.Contains(now, f.lastLine) {
			text += `; its last line: "` + f.lastLine + `"`
		}
		out = append(out, w.ago(f.at)+text)
		if f.other != "" {
			out = append(out, w.nested(f.other, min(f.upTo, upTo), false)...)
		}
		out = append(out, f.more...)
		if f.root {
			break
		}
		// The same again and again is told once.
		times, first := 0, f.at
		for ; n > 0; n-- {
			before := facts[n-1]
			if before.light && before.epoch != t.epoch {
				continue
			}
			if before.key != f.key {
				break
			}
			times, first = times+1, before.at
		}
		if times > 0 {
			out = append(out, fmt.Sprintf("before that %s the same: %s, since %s ago", often(times), f.short, w.age(first)))
		}
	}
	return out
}

// givenUp begins the key of what Kind failed tells.
const givenUp = "given up "

func often(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func (w *why) age(t time.Time) string { return human.Duration(max(0, w.now.Sub(t))) }

func (w *why) ago(t time.Time) string { return w.age(t) + " ago: " }

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

func process(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// ofHost reports whether an event is about the host itself.
func ofHost(e Event) bool { return e.ID == "" && e.Service == "" }
