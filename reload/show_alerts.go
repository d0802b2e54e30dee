package reload

import (
	"fmt"
	"net/url"
	"strings"

	"servicehost/spec"
)

// webhook shows the host of an address; path and query are what lets anybody write there.
func (r *Redactor) webhook(w *spec.WebhookURL) string {
	switch {
	case w == nil:
		return ""
	case w.Secret != nil:
		return r.secret(w.Secret)
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		return r.Hash(w.URL)
	}
	if u.User == nil && u.RawQuery == "" && u.Fragment == "" && strings.Trim(u.Path, "/") == "" {
		return readable(w.URL)
	}
	return readable(u.Scheme+"://"+u.Host) + "/" + r.Hash(w.URL)
}

func (r *Redactor) smtp(m *spec.SMTP) string {
	if m == nil {
		return ""
	}
	s := fmt.Sprintf("%s from %s to %s", readable(m.Server), readable(m.From), readable(strings.Join(m.To, ", ")))
	if m.User != "" {
		s += " as " + readable(m.User)
	}
	if m.Password != nil {
		s += " (password: " + r.secret(m.Password) + ")"
	}
	if m.StartTLS != "auto" {
		s += " (starttls " + m.StartTLS + ")"
	}
	return s
}

func tokens(ts []spec.HTTPToken) string {
	shown := make([]string, len(ts))
	for i, t := range ts {
		shown[i] = fmt.Sprintf("%s may %s (file %s)", readable(t.Name), t.Role, readable(t.File))
	}
	return strings.Join(shown, ", ")
}

// thresholds shows each by its measure, and of the rest what is not the default.
func (r *Redactor) thresholds(ts []spec.Threshold) string {
	shown := make([]string, len(ts))
	for i, t := range ts {
		var s string
		switch {
		case t.Memory > 0:
			s = "memory " + size(t.Memory)
		case t.CPU > 0:
			s = fmt.Sprintf("cpu %d%%", t.CPU)
		case t.Handles > 0:
			s = fmt.Sprintf("handles %d", t.Handles)
		case t.Threads > 0:
			s = fmt.Sprintf("threads %d", t.Threads)
		case t.Processes > 0:
			s = fmt.Sprintf("processes %d", t.Processes)
		case t.MemoryGrowth > 0:
			s = "memory_growth " + spec.FormatGrowth(t.MemoryGrowth)
		default:
			s = fmt.Sprintf("log %s, %d within %s", readable(t.Log), t.Count, duration(t.Within))
		}
		if t.For > 0 {
			s += fmt.Sprintf(" for %d", t.For)
		}
		if t.Action.Action != nil {
			s += ": " + r.action(t.Action.Action)
		} else {
			s += ": " + string(t.Action.Do)
		}
		if t.DumpURL != "" {
			s += " of " + r.Text(readable(t.DumpURL))
		}
		shown[i] = s
	}
	return strings.Join(shown, "; ")
}
