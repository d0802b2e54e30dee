package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"servicehost/spec"
)

// appended is a flag that may be repeated, before the command and behind it.
type appended []string

func (v *appended) String() string { return strings.Join(*v, ",") }
func (v *appended) Type() string   { return "string" }
func (v *appended) Set(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	*v = append(*v, s)
	return nil
}

// assignments are NAME=value, repeatable.
type assignments map[string]string

func (v *assignments) Type() string { return "NAME=value" }
func (v *assignments) String() string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(*v)) {
		all = append(all, k+"="+(*v)[k])
	}
	return strings.Join(all, ",")
}

func (v *assignments) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("must be NAME=value")
	}
	if *v == nil {
		*v = assignments{}
	}
	(*v)[name] = value
	return nil
}

// choice is a flag with a few values.
type choice struct {
	value   string
	allowed []string
}

func (v *choice) String() string { return v.value }
func (v *choice) Type() string   { return strings.Join(v.allowed, "|") }
func (v *choice) Set(s string) error {
	if !slices.Contains(v.allowed, s) {
		return fmt.Errorf("must be %s", strings.Join(v.allowed, " or "))
	}
	v.value = s
	return nil
}

// duration is a flag that is written as in the spec: 30s, 1h30m, 7d.
type duration time.Duration

func (v *duration) Type() string { return "duration" }
func (v *duration) String() string {
	if *v == 0 {
		return ""
	}
	return spec.FormatDuration(time.Duration(*v))
}

func (v *duration) Set(s string) error {
	d, err := spec.ParseDuration(s)
	*v = duration(d)
	return err
}

// moment is a flag that is a point in time: how long from now, a time of today, or date and time.
type moment struct {
	at   time.Time
	text string
	back bool // a duration counts into the past
	now  func() time.Time
}

func (v *moment) Type() string   { return "time" }
func (v *moment) String() string { return v.text }
func (v *moment) Set(s string) error {
	v.text = s
	now := v.now()
	if d, err := spec.ParseDuration(s); err == nil {
		if v.back {
			d = -d
		}
		v.at = now.Add(d)
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			v.at = t
			return nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			y, m, d := now.Date()
			v.at = time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.Local)
			// The next such time, or for what lies back the last one.
			if v.back && v.at.After(now) {
				v.at = v.at.AddDate(0, 0, -1)
			} else if !v.back && v.at.Before(now) {
				v.at = v.at.AddDate(0, 0, 1)
			}
			return nil
		}
	}
	return errors.New("must be like 2h, 17:30, 2006-01-02 or 2006-01-02T15:04:05")
}

// lines is a number of lines, or all.
type lines int

func (v *lines) Type() string { return "number|all" }
func (v *lines) String() string {
	if *v < 0 {
		return "all"
	}
	return fmt.Sprint(int(*v))
}

func (v *lines) Set(s string) error {
	if s == "all" || s == "-1" {
		*v = -1
		return nil
	}
	var n int
	if _, err := fmt.Sscanf(s+"\n", "%d\n", &n); err != nil || n < 0 {
		return errors.New("must be a number or all")
	}
	*v = lines(n)
	return nil
}

func (v duration) value() time.Duration { return time.Duration(v) }
