package spec

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// wordsError is an error about a value with a hint beside it.
type wordsError struct{ message, hint string }

func (e *wordsError) Error() string {
	if e.hint == "" {
		return e.message
	}
	return e.message + "; " + e.hint
}

func words(hint, format string, args ...any) error {
	return &wordsError{fmt.Sprintf(format, args...), hint}
}

// numberPrefix splits "1.5h" into 1.5 and "h".
func numberPrefix(s string) (number, rest string) {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	return s[:i], s[i:]
}

var durationUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

const durationHint = "durations look like 500ms, 10s, 5m, 1h30m or 7d"

// ParseDuration reads a duration as the spec writes it: 500ms, 10s, 5m, 1h30m, 7d; only 0 needs no unit.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if strings.HasPrefix(s, "-") {
		return 0, words(durationHint, "%s is negative", quote(s))
	}
	if s == "" {
		return 0, words(durationHint, "is empty")
	}
	total, last := 0.0, math.Inf(1)
	for rest := s; rest != ""; {
		number, after := numberPrefix(rest)
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, words(durationHint, "%s is not a duration", quote(s))
		}
		if after == "" {
			return 0, words(fmt.Sprintf("write %ss or %sm", number, number), "%s has no unit", quote(s))
		}
		end := strings.IndexAny(after, "0123456789.")
		if end < 0 {
			end = len(after)
		}
		unit, ok := durationUnits[after[:end]]
		if !ok {
			return 0, words(durationHint, "%s has the unknown unit %s", quote(s), quote(after[:end]))
		}
		if float64(unit) >= last {
			return 0, words(durationHint, "%s is not a duration", quote(s))
		}
		last = float64(unit)
		total += value * float64(unit)
		rest = after[end:]
	}
	if total > float64(10*365*24*time.Hour) {
		return 0, words("", "%s is more than ten years", quote(s))
	}
	return time.Duration(math.Round(total)), nil
}

// FormatDuration writes a duration the way the spec takes it: 500ms, 90s as 1m30s, 7d.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.unit
		}
	}
	if d > 0 {
		b.WriteString(d.String())
	}
	return b.String()
}

var sizeUnits = map[string]int64{
	"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// ParseSize reads a size in bytes: 10MiB (1024), 10MB (1000); only 0 needs no unit.
func ParseSize(s string) (int64, error) {
	if s == "0" {
		return 0, nil
	}
	const hint = "sizes look like 64KiB, 10MiB (1024) or 10MB (1000)"
	number, unit := numberPrefix(s)
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, words(hint, "%s is not a size", quote(s))
	}
	unit = strings.TrimSpace(unit)
	if unit == "" {
		return 0, words("write "+number+"MiB or "+number+"KiB", "%s has no unit", quote(s))
	}
	factor, ok := sizeUnits[strings.ToLower(unit)]
	if !ok {
		if strings.ContainsAny(unit[:1], "kKmMgGtT") && len(unit) == 1 {
			return 0, words(fmt.Sprintf("write %s%siB (1024) or %s%sB (1000)", number, strings.ToUpper(unit), number, strings.ToUpper(unit)),
				"%s has an ambiguous unit", quote(s))
		}
		return 0, words(hint, "%s has the unknown unit %s", quote(s), quote(unit))
	}
	bytes := value * float64(factor)
	if bytes > 1<<60 {
		return 0, words("", "%s is too large", quote(s))
	}
	return int64(math.Round(bytes)), nil
}

// parsePercent reads a whole percentage from 0% to 100%.
func parsePercent(s string) (int, error) {
	number, ok := strings.CutSuffix(s, "%")
	if !ok {
		if _, err := strconv.Atoi(s); err == nil {
			return 0, words("write "+s+"%", "%s has no unit", quote(s))
		}
		return 0, words("for example 50%", "%s is not a percentage", quote(s))
	}
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 || n > 100 {
		return 0, words("", "%s is not a whole percentage from 0%% to 100%%", quote(s))
	}
	return n, nil
}

// parseCores reads a share of the CPUs, 100% being one core.
func parseCores(s string) (int, error) {
	number, ok := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	switch {
	case err == nil && !ok:
		return 0, words("100% is one core; write "+s+"%", "%s has no unit", quote(s))
	case err != nil || n < 1 || n > 1_000_000:
		return 0, words("100% is one core", "%s is not a whole percentage from 1%%", quote(s))
	}
	return n, nil
}

// priorities are the names of priority with the nice value that each stands for.
var priorities = []struct {
	name string
	nice int
}{{"idle", 19}, {"below_normal", 10}, {"normal", 0}, {"above_normal", -5}, {"high", -10}}

// parsePriority reads the name of a priority or a nice value.
func parsePriority(s string) (int, error) {
	if n, err := parseInt(s); err == nil {
		if n < -20 || n > 19 {
			return 0, words("", "must be a nice value from -20 to 19, found %s", quote(s))
		}
		return int(n), nil
	}
	names := make([]string, len(priorities))
	for i, p := range priorities {
		names[i] = p.name
	}
	if strings.EqualFold(s, "realtime") {
		return 0, words("high is the most", "%s would stop the rest of the system", quote(s))
	}
	name, err := parseEnum(s, names)
	if err != nil {
		return 0, err
	}
	for _, p := range priorities {
		if p.name == name {
			return p.nice, nil
		}
	}
	return 0, err
}

// parseRate reads 5/s, 30/m or 100/h as a number per second.
func parseRate(s string) (float64, error) {
	number, unit, ok := strings.Cut(s, "/")
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, words("rates look like 5/s, 30/m or 100/h", "%s is not a rate", quote(s))
	}
	if !ok {
		return 0, words("write "+s+"/s", "%s has no unit", quote(s))
	}
	per, ok := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	if !ok {
		return 0, words("rates look like 5/s, 30/m or 100/h", "%s has the unknown unit %s", quote(s), quote(unit))
	}
	if value <= 0 || value/per > 10_000 {
		return 0, words("", "%s must be more than 0 and at most 10000/s", quote(s))
	}
	return value / per, nil
}

// parseLines reads a number of lines per second, with or without a unit; 0 is no limit.
func parseLines(s string) (float64, error) {
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 && n <= 1e9 {
		return n, nil
	}
	number, unit, ok := strings.Cut(s, "/")
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	if err != nil || !ok || per == 0 || math.IsNaN(value) || value <= 0 || value/per > 1e9 {
		return 0, words("write lines per second, such as 1000, or 600/m", "%s is no rate of lines", quote(s))
	}
	return value / per, nil
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true, nil
	case "false", "no", "off":
		return false, nil
	}
	return false, words("", "must be true or false, found %s", quote(s))
}

// parseInt reads a whole number, also 0x10 and 0o17 as YAML writes them.
func parseInt(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 0, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, words("", "%s is too large", quote(s))
	}
	if err != nil {
		// A leading zero is no octal number here.
		if n, err = strconv.ParseInt(s, 10, 64); err != nil {
			return 0, words("", "must be a whole number, found %s", quote(s))
		}
	}
	return n, nil
}

// parseEnum finds a value in a list, taking - and _ and upper and lower case alike.
func parseEnum(s string, allowed []string) (string, error) {
	fold := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "-")) }
	for _, a := range allowed {
		if fold(a) == fold(s) {
			return a, nil
		}
	}
	hint := ""
	if near := nearest(fold(s), allowed); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return "", words(hint, "%s is not one of %s", quote(s), strings.Join(allowed, ", "))
}
