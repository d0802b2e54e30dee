package journal

import (
	"slices"
	"strings"
	"time"

	"servicehost/host/human"
)

// tale is what the journal knows of one instance, told forward.
type tale struct {
	w       *why
	id      string
	service string
	number  int
	known   bool

	state    Event  // the latest change of state
	epoch    int    // rises with the end of a run
	pid      int    // of the current run
	unready  *Event // it was ready, and is not
	ending   *Event // the host began to end the run, for this reason
	killed   *Event // the run did not end in time
	stopping *Event // the host began to stop everything
	signal   *Event // the last one that an operator sent
	facts    []fact // oldest first
}

// fact is one cause.
type fact struct {
	at    time.Time
	text  string
	key   string // facts with the same one are told once
	short string // without what differs from one to the next
	root  bool   // nothing before it matters
	light bool   // it matters only for the run in which it happened
	epoch int

	lastLine string
	other    string // the cause lies with this instance
	upTo     int    // as of then
	more     []string
}

func newTale(w *why, id string, upTo int) *tale {
	t := &tale{w: w, id: id}
	for _, e := range slices.Backward(w.events[:upTo]) {
		if e.ID == id && e.Service != "" {
			t.service, t.number = e.Service, e.Instance
			break
		}
	}
	for n, e := range w.events[:upTo] {
		switch {
		case ofHost(e):
			t.ofHost(n, e)
		case t.own(e):
			t.known = true
			t.take(n, e)
		}
	}
	return t
}

// own reports whether an event is about the instance, whose id changes with the number of instances.
func (t *tale) own(e Event) bool {
	switch {
	case e.ID == t.id:
		return true
	case e.ID == "":
		return e.Service == t.id || e.Service == t.service && t.service != ""
	}
	return t.service != "" && e.Service == t.service && e.Instance == t.number && e.Instance != 0
}

func (t *tale) add(f fact) {
	if f.key == "" {
		f.key = f.text
	}
	if f.short == "" {
		f.short = f.text
	}
	f.epoch = t.epoch
	t.facts = append(t.facts, f)
}

func (t *tale) say(e Event, text string) { t.add(fact{at: e.Time, text: text}) }

// light adds what matters only for the current run.
func (t *tale) light(e Event, key, short, text string) {
	t.add(fact{at: e.Time, text: text, key: key, short: short, light: true})
}

func (t *tale) root(e Event, text string, more ...string) {
	t.add(fact{at: e.Time, text: text, root: true, more: more})
}

func (t *tale) take(n int, e Event) {
	switch e.Kind {
	case StateChanged:
		t.changed(n, e)
	case Started:
		t.pid = e.PID
	case ProcessExited:
		t.exited(e)
	case StartFailed:
		text := e.Reason
		if !strings.HasPrefix(text, "cannot start") && !strings.HasPrefix(text, "hook ") {
			text = "start failed" + because(text)
		}
		t.add(fact{at: e.Time, text: text, lastLine: lastLine(e)})
	case Killed:
		t.killed = &e
	case Failed:
		if !t.saidBy(e.Reason) {
			t.add(fact{at: e.Time, text: "it was given up" + because(e.Reason), key: givenUp + e.Reason})
		}
	case Unhealthy:
		t.unready = &e // the line about its state says it
	case Recovered:
		t.unready = nil
		t.light(e, "ready", "ready again", e.Reason)
	case LimitHit, Warning, Dumped:
		t.light(e, "", "", e.Reason)
	case Threshold:
		t.light(e, "threshold "+e.ThresholdKey(), "it crossed a threshold", "it crossed a threshold"+because(e.Reason))
	case ThresholdCleared:
		if t.ending != nil || t.pid == 0 { // with its run
			return
		}
		t.light(e, "cleared "+e.ThresholdKey(), "it went below its threshold", "it is below its threshold again"+because(e.Reason))
	case Skipped:
		t.light(e, "skipped", "a run was left out", orElse(e.Reason, "a run was left out"))
	case OperatorAction:
		t.acted(e)
	case SpecChanged:
		if strings.HasPrefix(e.Reason, "told of a change") {
			t.light(e, "told", "", e.Reason)
			return
		}
		t.root(e, "its spec changed"+because(e.Reason), t.w.edit(n)...)
	case ServiceAdded:
		t.root(e, "added to the spec"+because(e.Reason), t.w.edit(n)...)
	case ServiceRemoved:
		t.root(e, "removed from the spec", t.w.edit(n)...)
	case Rollout:
		if e.Details[DetailCause] != "" { // another process has taken its place
			t.pid = e.PID
			t.epoch++
			t.unready = nil
			t.say(e, e.Reason)
		}
	case RolledBack:
		t.say(e, "it went back to the spec that worked before"+because(e.Reason))
	}
}

// saidBy reports whether the newest fact says so already.
func (t *tale) saidBy(reason string) bool {
	if reason == "" || len(t.facts) == 0 {
		return false
	}
	f := t.facts[len(t.facts)-1]
	return strings.Contains(reason, f.short) || strings.Contains(f.text, reason)
}

// changed takes in a change of state.
func (t *tale) changed(n int, e Event) {
	t.state = e
	switch e.To {
	case "running":
		t.pid = e.PID
		t.ending, t.unready = nil, nil
	case "stopping":
		t.ending = &e
		if m := onOther().FindStringSubmatch(e.Reason); m != nil {
			t.add(fact{at: e.Time, text: orElse(dependencyWords(e.Reason, m[1]), e.Reason), root: true, other: m[1], upTo: n})
		}
	case "backoff", "waiting", "stopped", "exited", "failed":
		t.pid, t.unready = 0, nil
		if e.To == "stopped" && t.stopping != nil && e.Reason == "the host is stopping" {
			t.root(*t.stopping, "the host began to stop"+because(t.stopping.Reason))
		}
	}
}

// dependencyWords say that a dependency was restarted, and this one with it.
func dependencyWords(reason, id string) string {
	if strings.HasPrefix(reason, "restart asked for by") {
		return `restarted, as "` + id + `", which it depends on, was restarted`
	}
	return ""
}

// exited tells how a run ended, unless that was asked for: then whoever asked is the cause.
func (t *tale) exited(e Event) {
	text, uptime := e.Reason, time.Duration(0)
	if x := e.Exit; x != nil {
		text, uptime = orElse(x.Text, text), x.Uptime
	}
	short, _, _ := strings.Cut(text, " after ")
	short = orElse(short, "it ended")
	after := ""
	if uptime > 0 {
		after = " after " + human.Duration(uptime)
	}
	if t.pid != 0 && e.PID != 0 && e.PID != t.pid { // a process beside the current one
		if e.Details[DetailSuccess] == "" {
			t.add(fact{at: e.Time, text: "the process beside it ended" + process(e.PID) + ": " + short + after, lastLine: lastLine(e)})
		}
		return
	}
	ending, killed := t.ending, t.killed
	t.ending, t.killed, t.unready = nil, nil, nil
	if s := t.signal; s != nil && e.Time.Sub(s.Time) < signalTime && ending == nil {
		t.say(*s, operatorWords(*s))
	}
	t.signal = nil
	t.epoch++
	switch {
	case ending == nil || strings.Contains(ending.Reason, "ending the rest of its tree"):
		words := endWords(e)
		if x := e.Exit; x != nil && x.PeakMemory > 0 && strings.HasPrefix(short, outOfMemory) {
			after += ", having used " + human.Size(x.PeakMemory) + " at most"
		}
		t.add(fact{at: e.Time, text: words + process(e.PID) + ": " + short + after, key: "ended " + short, short: short, lastLine: lastLine(e)})
	case byHost(ending.Reason):
		why, how := ending.Reason, ""
		if strings.HasPrefix(why, "threshold crossed") {
			why = "threshold crossed" // the figures differ
		}
		if short != ending.Reason {
			how = ": " + short
		}
		if killed != nil {
			how += ", it had to be killed"
		}
		t.add(fact{at: e.Time, text: ending.Reason + "; so the host ended it" + process(e.PID) + after + how, key: why, short: why, lastLine: lastLine(e)})
	case killed != nil:
		t.say(*killed, "killed"+process(killed.PID)+because(killed.Reason))
	}
}

// outOfMemory begins the text of an end by the limit on memory.
const outOfMemory = "out of memory"

// endWords say what kind of end it was that nobody asked for.
func endWords(e Event) string {
	x := e.Exit
	switch {
	case e.Details[DetailSuccess] != "":
		return "its run ended as it should"
	case x == nil:
		return "it ended by itself"
	case strings.HasPrefix(x.Text, outOfMemory) && x.Signal == "SIGKILL":
		return "the system ended it"
	case slices.Contains([]string{"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS", "SIGTRAP"}, x.Signal),
		x.Status != "" && x.Status != "STATUS_CONTROL_C_EXIT" && x.Status != "DBG_TERMINATE_PROCESS":
		return "it crashed"
	}
	return "it ended by itself"
}

// byHost reports whether a run was ended by the host itself for a reason that no other event tells.
func byHost(reason string) bool {
	return slices.ContainsFunc([]string{"liveness probe failed", "startup probe failed", "it ran for max_runtime", "memory limit ", "threshold crossed"}, func(p string) bool {
		return strings.HasPrefix(reason, p)
	})
}

// signalTime is how long an end may come behind the signal that is told as part of its story.
const signalTime = time.Minute

// acted takes in what an operator did. A signal explains only an end that follows it.
func (t *tale) acted(e Event) {
	switch {
	case strings.HasPrefix(e.Reason, "signal "):
		t.signal = &e
	case e.Reason == "rotate": // changes nothing of its state
	default:
		t.root(e, operatorWords(e))
	}
}

// operatorWords say who did what: root stopped it, until 17:30.
func operatorWords(e Event) string {
	if e.Actor == "" {
		return orElse(e.Reason, "an operator acted")
	}
	words := map[string]string{"start": "started it", "stop": "stopped it", "restart": "restarted it", "run-now": "ran it now"}[e.Reason]
	if name, ok := strings.CutPrefix(e.Reason, "signal "); ok {
		words = "sent it the signal " + name
	}
	if words == "" {
		return orElse(e.Reason, "an operator acted") + by(e.Actor)
	}
	words = e.Actor + " " + words
	if until, err := time.Parse(time.RFC3339, e.Details[DetailUntil]); err == nil {
		words += ", until " + until.Local().Format("2006-01-02 15:04")
	}
	return words
}

// lastLine is the last thing that a run said.
func lastLine(e Event) string {
	lines := strings.TrimRight(e.Details[LastLines], "\n")
	return strings.TrimSpace(lines[strings.LastIndex(lines, "\n")+1:])
}
