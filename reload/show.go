package reload

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"servicehost/spec"
)

// show renders a value the way its key is written in a spec.
func (r *Redactor) show(path string, v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return duration(x)
	case []string:
		return r.list(path, x)
	case []spec.Step:
		return r.steps(x)
	case map[string]string:
		return r.pairs(x)
	case []spec.Action:
		shown := make([]string, len(x))
		for i := range x {
			shown[i] = r.action(&x[i])
		}
		return strings.Join(shown, ", ")
	case *spec.OnChange:
		switch {
		case x == nil:
			return "restart"
		case x.Action != nil:
			return r.action(x.Action)
		}
		return "signal " + x.Signal
	case *spec.Probe:
		return r.probe(x)
	case *spec.Secret:
		return r.secret(x)
	case *spec.WebhookURL:
		return r.webhook(x)
	case *spec.SMTP:
		return r.smtp(x)
	case []spec.AlertEvent:
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(x), "[]"), " ", ", ")
	case []spec.HTTPToken:
		return tokens(x)
	case []spec.Threshold:
		return r.thresholds(x)
	case []spec.Need:
		return strings.Join(needTexts(x), ", ")
	case []int:
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(x), "[]"), " ", ", ")
	case float64:
		s := strconv.FormatFloat(x, 'g', -1, 64)
		if path == "restarts.rate" {
			s += "/s"
		}
		return s
	}
	switch {
	case path == "logs.max_total" || path == "logs.min_free":
		if v.Int() == spec.AutoSize {
			return "auto"
		}
		return size(v.Int())
	case strings.HasSuffix(path, "max_size"), strings.HasSuffix(path, ".max_line"), strings.HasSuffix(path, ".spool"):
		return size(v.Int())
	case path == "reload.max_removed" || path == "reload.max_restarted":
		return fmt.Sprintf("%d%%", v.Int())
	case path == "port" && v.Int() == spec.PortAuto:
		return "auto"
	case path == "port" && v.Int() == 0, path == "limits.processes" && v.Int() == 0, path == "limits.open_files" && v.Int() == 0:
		return ""
	case path == "limits.memory":
		if v.Int() == 0 {
			return ""
		}
		return size(v.Int())
	case path == "limits.cpu":
		if v.Int() == 0 {
			return ""
		}
		return fmt.Sprintf("%d%%", v.Int())
	case v.Kind() == reflect.String:
		return r.Text(readable(v.String()))
	}
	return fmt.Sprint(v.Interface())
}

func (r *Redactor) list(path string, items []string) string {
	shown := make([]string, len(items))
	for i, s := range items {
		shown[i] = readable(s)
	}
	if path == "command" || strings.HasSuffix(path, ".exec") {
		shown = r.Args(shown)
		if slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, `"`) }) {
			return commandList(shown) // a string has no way to write a quote
		}
		for i, s := range shown {
			if s == "" || strings.ContainsAny(s, " \t") && !strings.HasPrefix(s, "<redacted ") {
				shown[i] = `"` + s + `"`
			}
		}
		return strings.Join(shown, " ")
	}
	return r.Text(strings.Join(shown, ", "))
}

// commandList writes a command as a list in brackets.
func commandList(words []string) string {
	shown := make([]string, len(words))
	for i, s := range words {
		shown[i] = s
		if s == "" || strings.ContainsAny(s, " \t,:#{}[]&*!|>'\"%@`") && !strings.HasPrefix(s, "<redacted ") {
			shown[i] = "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

// secret shows where a secret is found, never what it is.
func (r *Redactor) secret(s *spec.Secret) string {
	switch {
	case s == nil:
		return ""
	case s.File != "":
		return "file " + readable(s.File)
	case s.Env != "":
		return "env " + readable(s.Env)
	case s.DPAPI != "":
		return "dpapi " + readable(s.DPAPI)
	case s.Credential != "":
		return "credential " + readable(s.Credential)
	}
	return "exec " + r.list("command", s.Exec)
}

// probe shows what is asked, and of the rest what is not the default.
func (r *Redactor) probe(p *spec.Probe) string {
	if p == nil {
		return ""
	}
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, strings.TrimSpace(name+" "+value))
		}
	}
	add("http", r.Text(readable(strings.TrimSpace(p.Method+" "+p.HTTP))))
	add("tcp", readable(p.TCP))
	if len(p.Exec) > 0 {
		add("exec", r.list("command", p.Exec))
	}
	add("log", readable(p.Log))
	add("file", readable(p.File))
	if p.Notify {
		add("notify", " ")
	}
	add("headers", r.pairs(p.Headers))
	for _, s := range p.Status {
		add("status", fmt.Sprintf("%d-%d", s.From, s.To))
	}
	add("body", readable(p.Body))
	if t := p.TLS; t != (spec.TargetTLS{}) {
		add("tls", strings.Join(slices.DeleteFunc([]string{readable(t.CA), readable(t.Cert), readable(t.Key), t.ServerName}, func(s string) bool { return s == "" }), " "))
		if t.Insecure {
			add("tls insecure", " ")
		}
	}
	d := spec.DefaultProbe
	span := func(name string, v, def time.Duration) {
		if v != def {
			add(name, duration(v))
		}
	}
	span("initial_delay", p.InitialDelay, d.InitialDelay)
	span("period", p.Period, d.Period)
	span("timeout", p.Timeout, d.Timeout)
	if p.SuccessThreshold != d.SuccessThreshold {
		add("success_threshold", strconv.Itoa(p.SuccessThreshold))
	}
	if p.FailureThreshold != d.FailureThreshold {
		add("failure_threshold", strconv.Itoa(p.FailureThreshold))
	}
	return strings.Join(parts, ", ")
}

func (r *Redactor) pairs(m map[string]string) string {
	shown := make([]string, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		value := m[name]
		if SecretName(name) {
			value = r.Hash(value)
		} else {
			value = r.Text(readable(value))
		}
		shown = append(shown, readable(name)+"="+value)
	}
	return strings.Join(shown, ", ")
}

func (r *Redactor) action(a *spec.Action) string {
	do := ""
	if a.HTTP != "" {
		do = "http " + r.Text(readable(a.HTTP))
	} else {
		do = "exec " + r.list("command", a.Exec)
	}
	if a.Timeout > 0 {
		do += " (timeout " + duration(a.Timeout) + ")"
	}
	if a.IgnoreFailure {
		do += " (failure ignored)"
	}
	return do
}

func (r *Redactor) steps(steps []spec.Step) string {
	shown := make([]string, len(steps))
	for i, s := range steps {
		do := s.Do
		if s.Action != nil {
			do = r.action(s.Action)
		}
		if s.Timeout > 0 {
			do += " " + duration(s.Timeout)
		}
		shown[i] = do
	}
	return strings.Join(shown, ", ")
}

// duration is how a spec writes it: exact, without the zeros of time.Duration, days as such.
func duration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func size(n int64) string {
	for _, u := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func needTexts(needs []spec.Need) []string {
	shown := make([]string, len(needs))
	for i, n := range needs {
		shown[i] = readable(n.String())
	}
	return shown
}

// readable makes one line of anything.
func readable(s string) string {
	s = strings.ReplaceAll(s, spec.AutoPort, "${PORT}")
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\r' || c == '\t':
			return ' '
		case c < ' ' || c == 0x7f || c == utf8.RuneError:
			return '?'
		}
		return c
	}, s)
}

// clipMost is the length in characters from which on a value is cut for people.
const clipMost = 120

// clipPair cuts two long values so that the place where they differ is seen.
func clipPair(a, b string) (string, string) {
	x, y := []rune(a), []rune(b)
	if len(x) <= clipMost && len(y) <= clipMost {
		return a, b
	}
	common := 0
	for common < min(len(x), len(y)) && x[common] == y[common] {
		common++
	}
	// A redacted value must not be cut in two: its hash is what tells the change.
	from := max(0, common-clipMost/3)
	if open := strings.LastIndex(string(x[:common]), "<redacted "); open >= 0 && !strings.Contains(string(x[:common])[open:], ">") {
		from = min(from, utf8.RuneCountInString(string(x[:common])[:open]))
	}
	cut := func(s []rune) string {
		if len(s) <= clipMost {
			return string(s)
		}
		s, before := s[min(from, len(s)):], ""
		if from > 0 {
			before = "…"
		}
		if len(s) > clipMost {
			return before + string(s[:clipMost]) + "…"
		}
		return before + string(s)
	}
	return cut(x), cut(y)
}
