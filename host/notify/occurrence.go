package notify

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// subjectOf is what alerts are about: a service or the host, and in what way.
type subjectOf struct {
	Event    spec.AlertEvent `json:"event"`
	Service  string          `json:"service,omitempty"` // empty: the host
	Instance int             `json:"instance,omitempty"`
	Measure  string          `json:"measure,omitempty"` // of a threshold, with its limit and pattern: each is a subject of its own
}

func (s subjectOf) String() string {
	text := string(s.Event)
	if s.Service != "" {
		text = s.Service + "." + strconv.Itoa(s.Instance) + "/" + text
	}
	if s.Measure != "" {
		text += "/" + s.Measure
	}
	return text
}

// passing reports whether nothing ever ends it: it happened, and that is all.
func (s subjectOf) passing() bool {
	switch s.Event {
	case spec.AlertLimit, spec.AlertReload, spec.AlertHostStarted, spec.AlertHostStopped:
		return true
	}
	return false
}

// occurrence is something of the journal that is told.
type occurrence struct {
	subjectOf
	Seq     uint64            `json:"seq"`
	Time    time.Time         `json:"time"`
	ID      string            `json:"id,omitempty"` // of the instance
	Reason  string            `json:"reason,omitempty"`
	Actor   string            `json:"actor,omitempty"`
	Lines   []string          `json:"lines,omitempty"`
	Details map[string]string `json:"details,omitempty"`
}

// ending ends what alerts are open.
type ending struct {
	service  string
	instance int
	events   []spec.AlertEvent // empty: all
	measure  string
	at       time.Time
	reason   string
}

func (e ending) ends(s subjectOf) bool {
	return s.Service == e.service && s.Instance == e.instance && (len(e.events) == 0 || slices.Contains(e.events, s.Event)) &&
		(e.measure == "" || s.Measure == e.measure)
}

// change is what an event of the journal means to notifiers: one of its fields is set.
type change struct {
	fire *occurrence
	end  *ending
}

// key is an instance of a service.
type key struct {
	service  string
	instance int
}

func keyOf(e journal.Event) key {
	k := key{cmp.Or(e.Service, e.ID), e.Instance}
	if k.service != "" {
		k.instance = max(k.instance, 1)
	}
	return k
}

// lastEnd is what is known of the last process of an instance.
type lastEnd struct {
	lines   []string
	success bool
	timely  bool // the host ended it at its max_runtime
}

// failure reports whether a restart that comes from that state follows a failure. What the host itself ended, for a
// probe that failed or a limit, is one however it exits.
func (l lastEnd) failure(from string) bool {
	if from == "stopping" || from == "killing" {
		return !l.timely
	}
	return !l.success
}

// reader makes changes of events, in the order of the journal.
type reader struct {
	ends map[key]lastEnd // of instances that are not running
}

// occurred is an event as something to tell.
func (r *reader) occurred(e journal.Event, what spec.AlertEvent) change {
	k := keyOf(e)
	o := &occurrence{
		subjectOf: subjectOf{Event: what, Service: k.service, Instance: k.instance},
		Seq:       e.Seq, Time: e.Time, ID: cmp.Or(e.ID, e.Service), Reason: e.Reason, Actor: e.Actor, Lines: r.ends[k].lines,
	}
	for name, value := range e.Details {
		if name == journal.LastLines {
			o.Lines = split(value)
			continue
		}
		if o.Details == nil {
			o.Details = map[string]string{}
		}
		o.Details[name] = value
	}
	if what == spec.AlertThreshold {
		o.Measure = e.ThresholdKey()
	}
	return change{fire: o}
}

func split(lines string) []string {
	if lines = strings.TrimRight(lines, "\n"); lines == "" {
		return nil
	}
	return strings.Split(lines, "\n")
}

// read returns what an event means.
func (r *reader) read(e journal.Event) (out []change) {
	k := keyOf(e)
	over := func(reason string, events ...spec.AlertEvent) change {
		return change{end: &ending{service: k.service, instance: k.instance, events: events, at: e.Time, reason: reason}}
	}
	switch e.Kind {
	case journal.ProcessExited:
		r.ends[k] = lastEnd{lines: split(e.Details[journal.LastLines]), success: e.Details[journal.DetailSuccess] == "true", timely: r.ends[k].timely}
	case journal.StartFailed:
		delete(r.ends, k)
	case journal.StateChanged:
		switch e.To {
		case "backoff":
			if r.ends[k].failure(e.From) {
				out = append(out, r.occurred(e, spec.AlertExited))
			}
		case "stopping":
			if e.Details[journal.DetailCause] == journal.CauseMaxRuntime {
				r.ends[k] = lastEnd{timely: true}
			}
		case "running", "stopped":
			delete(r.ends, k)
		}
	case journal.Failed:
		out = append(out, r.occurred(e, spec.AlertFailed))
	case journal.Unhealthy:
		out = append(out, r.occurred(e, spec.AlertUnhealthy))
	case journal.Healthy, journal.Recovered:
		if k.service != "" {
			out = append(out, over(e.Reason, spec.AlertUnhealthy))
		}
	case journal.RolledBack:
		out = append(out, r.occurred(e, spec.AlertRolledBack))
	case journal.LimitHit:
		out = append(out, r.occurred(e, spec.AlertLimit))
	case journal.Threshold:
		out = append(out, r.occurred(e, spec.AlertThreshold))
	case journal.ThresholdCleared:
		c := over(e.Reason, spec.AlertThreshold)
		c.end.measure = e.ThresholdKey()
		out = append(out, c)
	case journal.ServiceRemoved:
		delete(r.ends, k)
		out = append(out, over("it was removed from the spec"))
	case journal.ReloadRejected:
		out = append(out, over("replaced by an edit that was rejected", spec.AlertPending), r.occurred(e, spec.AlertReloadRejected))
	case journal.LastGood:
		out = append(out, r.occurred(e, spec.AlertReloadRejected))
	case journal.ReloadPending:
		out = append(out, r.occurred(e, spec.AlertPending))
	case journal.ReloadApplied:
		out = append(out, r.occurred(e, spec.AlertReload))
	case journal.HostStarted:
		out = append(out, r.occurred(e, spec.AlertHostStarted))
	case journal.HostStopping: // what comes later might not get out any more
		out = append(out, r.occurred(e, spec.AlertHostStopped))
	}
	return out
}
