package logs

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"servicehost/spec"
)

// shape is what a spec asks to be done with the lines of an instance; nil: nothing, and they aren't looked
// for. It is never changed.
type shape struct {
	id       string
	service  string
	instance int
	format   spec.LogFormat
	strip    bool
	pattern  string // of the lines that belong to the one before
	max      int    // bytes of a line or record; 0: raw lines are whole
	rate     float64
	sinks    []Sink

	joined *Matcher // for pattern
}

// newShape returns the shape for cfg, was itself if that is the same.
func newShape(id string, cfg spec.Log, sink func(string) Sink, taps []Sink, was *shape) *shape {
	s := &shape{id: id, format: cfg.Format, strip: cfg.ANSI == spec.ANSIStrip, pattern: cfg.Multiline, max: int(cfg.MaxLine), rate: cfg.Rate}
	s.service, s.instance = splitID(id)
	for _, name := range cfg.Forward {
		if sink == nil {
			break
		}
		if to := sink(name); to != nil {
			s.sinks = append(s.sinks, to)
		}
	}
	for _, tap := range taps {
		if tap != nil {
			s.sinks = append(s.sinks, tap)
		}
	}
	if s.format == spec.FormatRaw && len(s.sinks) == 0 {
		if s.pattern = ""; !s.strip && s.max == 0 && s.rate == 0 {
			return nil
		}
	}
	if s.format != spec.FormatRaw && s.max == 0 {
		s.max = spec.DefaultMaxLine
	}
	if s.equal(was) {
		return was
	}
	if re, err := regexp.Compile(s.pattern); err == nil && s.pattern != "" {
		s.joined = NewMatcher(re)
	}
	return s
}

func (s *shape) equal(o *shape) bool {
	return o != nil && s.id == o.id && s.format == o.format && s.strip == o.strip && s.pattern == o.pattern &&
		s.max == o.max && s.rate == o.rate && slices.EqualFunc(s.sinks, o.sinks, sameSink)
}

func sameSink(a, b Sink) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// splitID takes an id apart: service.instance, or the service alone if it has but one instance.
func splitID(id string) (service string, instance int) {
	service, number, _ := strings.Cut(id, ".")
	if n, err := strconv.Atoi(number); err == nil {
		return service, n
	}
	return service, 1
}

// The streams of records.
const (
	streamOut  = "stdout"
	streamErr  = "stderr"
	streamHost = "host" // what the host says itself
)
