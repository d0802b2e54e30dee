package journal

import (
	"maps"
	"strings"
	"unicode/utf8"
)

// Longer texts than these are cut: the journal is bounded, and a line of it must stay readable.
const (
	maxReason  = 4 << 10
	maxDetail  = 1 << 10
	maxDetails = 32
)

func clip(e Event) Event {
	e.Reason = clipText(e.Reason, maxReason)
	e.Actor = clipText(e.Actor, maxDetail)
	long := len(e.Details) > maxDetails
	for k, v := range e.Details {
		long = long || len(v) > maxDetail || len(k) > maxDetail
	}
	if long {
		d := make(map[string]string, maxDetails)
		for k, v := range maps.All(e.Details) {
			if len(d) < maxDetails {
				d[clipText(k, maxDetail)] = clipDetail(k, v)
			}
		}
		e.Details = d
	}
	if e.Exit != nil && len(e.Exit.Text) > maxDetail {
		x := *e.Exit
		x.Text = clipText(x.Text, maxDetail)
		e.Exit = &x
	}
	return e
}

func clipDetail(name, text string) string {
	if name != LastLines || len(text) <= maxDetail {
		return clipText(text, maxDetail)
	}
	text = text[len(text)-maxDetail:]
	if _, whole, ok := strings.Cut(text, "\n"); ok {
		return strings.Clone(whole)
	}
	return strings.Clone(strings.ToValidUTF8(text, ""))
}

func clipText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n]) + "…"
}
