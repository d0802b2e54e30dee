package notify

import (
	"fmt"
	"strings"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// what are the words for an event, behind the name of a service where it has one.
var what = map[spec.AlertEvent]string{
	spec.AlertFailed:         "has failed",
	spec.AlertUnhealthy:      "is not ready",
	spec.AlertRolledBack:     "was rolled back to the spec that worked",
	spec.AlertReloadRejected: "the edited spec was rejected",
	spec.AlertThreshold:      "crossed a threshold",
	spec.AlertExited:         "ended and is started again",
	spec.AlertReload:         "an edited spec was applied",
	spec.AlertPending:        "an edited spec waits for host reload --confirm",
	spec.AlertLimit:          "met one of its limits",
	spec.AlertHostStarted:    "the host has started",
	spec.AlertHostStopped:    "the host is ending",
	EventTest:                "a test message",
}

// over are the words for the end of an event.
var over = map[spec.AlertEvent]string{
	spec.AlertFailed:         "is well again",
	spec.AlertUnhealthy:      "is ready again",
	spec.AlertRolledBack:     "is rolled back no more",
	spec.AlertReloadRejected: "the spec is valid again",
	spec.AlertThreshold:      "is below the threshold again",
	spec.AlertExited:         "runs again",
	spec.AlertPending:        "no edited spec waits any more",
}

// title is a message in one sentence: api has failed 3 more times.
func title(a Alert) string {
	words := what[a.Event]
	if a.Status == Resolved {
		if words = over[a.Resolves]; words == "" {
			words = "is over: " + string(a.Resolves)
		}
	}
	if a.ServiceID != "" {
		words = a.ServiceID + " " + words
	}
	switch {
	case a.Status == Firing && a.Count > 1:
		words += ", " + human.Count(a.Count, "time")
	case a.Status == Resolved:
		words += ", after " + human.Duration(a.lasted())
	}
	return words
}

// shownLines is how many last lines a message for people shows.
const shownLines = 10

// lines are the last lines of output as people get them, fewer in a message of so many alerts.
func lines(a Alert, alerts int) []string {
	if a.Status == Resolved {
		return nil
	}
	var out []string
	for _, l := range a.LastLines[max(0, len(a.LastLines)-max(2, shownLines/alerts)):] {
		out = append(out, clip(human.Plain(l), 300))
	}
	return out
}

// facts are what is shown beneath the title: name and value.
func facts(a Alert) [][2]string {
	var out [][2]string
	add := func(name, value string) {
		if value != "" {
			out = append(out, [2]string{name, clip(human.Plain(value), 1000)})
		}
	}
	add("Reason", a.Reason)
	add("By", a.Actor)
	if a.Total > 1 && a.Status != Resolved {
		add("Count", fmt.Sprintf("%d since %s", a.Total, stamp(a.Since)))
	}
	if a.Status == Resolved && a.Count > 0 {
		add("Count", human.Count(a.Count, "time")+" more")
	}
	add("At", stamp(a.At))
	return out
}

// zone is that of times for people.
var zone = time.Local

func stamp(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05 -07:00") }

// clip cuts a text to so many bytes.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}

// heading is the title of a message that may hold several alerts.
func heading(as []Alert) string {
	if len(as) == 1 {
		return fmt.Sprintf("[%s] %s", as[0].Host, as[0].Title)
	}
	firing := 0
	for _, a := range as {
		if a.Status == Firing {
			firing++
		}
	}
	text := fmt.Sprintf("[%s] %s", as[0].Host, human.Count(len(as), "message"))
	if over := len(as) - firing; firing > 0 && over > 0 {
		text += fmt.Sprintf(", %d of them all-clear", over)
	}
	return text
}
