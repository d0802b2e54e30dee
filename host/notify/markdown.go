package notify

import (
	"strings"

	"servicehost/spec"
)

// markdown is the text for robots that take some of it, in so many bytes at most, of which each alert gets its part.
// br is a line break.
func markdown(as []Alert, head, br string, most int) string {
	var b strings.Builder
	b.WriteString(head + clip(harmless(heading(as)), 200))
	each := (most - b.Len()) / len(as)
	for _, a := range as {
		var part strings.Builder
		if len(as) > 1 {
			part.WriteString(br + "**" + harmless(a.Title) + "**")
		}
		for _, f := range facts(a) {
			part.WriteString(br + "**" + f[0] + ":** " + harmless(f[1]))
		}
		for _, l := range lines(a, len(as)) {
			part.WriteString(br + "> " + harmless(l))
		}
		b.WriteString(clip(part.String(), each))
	}
	return b.String()
}

// harmless keeps a program's words from being a link, a picture or a call of everybody in the group.
func harmless(s string) string {
	return strings.NewReplacer("](", "] (", "<", "＜", "@", "＠", "\n", " ").Replace(s)
}

// paragraphs are the facts as plain lines.
func paragraphs(a Alert, titled bool) string {
	var out []string
	if titled {
		out = append(out, a.Title)
	}
	for _, f := range facts(a) {
		out = append(out, f[0]+": "+f[1])
	}
	return strings.Join(out, "\n")
}

// tones are how bad something is, worst last.
const (
	toneNone = iota
	toneGood
	toneWarn
	toneBad
)

func tone(a Alert) int {
	if a.Status == Resolved {
		return toneGood
	}
	switch a.Event {
	case spec.AlertFailed, spec.AlertUnhealthy, spec.AlertRolledBack, spec.AlertReloadRejected:
		return toneBad
	case spec.AlertThreshold, spec.AlertExited, spec.AlertPending, spec.AlertLimit, spec.AlertHostStopped:
		return toneWarn
	case spec.AlertRecovered, spec.AlertHostStarted:
		return toneGood
	}
	return toneNone
}

func worst(as []Alert) int {
	out := toneNone
	for _, a := range as {
		out = max(out, tone(a))
	}
	return out
}
