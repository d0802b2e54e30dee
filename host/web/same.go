package web

import (
	"reflect"
	"slices"

	"servicehost/host/control"
)

// comparer compares services. It keeps the copies that it compares, as there are thousands of them a second.
type comparer struct{ a, b control.ServiceStatus }

// same reports whether nothing changed of a service that is worth telling: what it uses is told apart, and when
// a probe was last asked changes all the time.
func (c *comparer) same(a, b *control.ServiceStatus) bool {
	if a.State != b.State || a.PID != b.PID || !a.Since.Equal(b.Since) || a.Reason != b.Reason { // mostly it is one of these
		return false
	}
	calm(&c.a, a)
	calm(&c.b, b)
	return reflect.DeepEqual(&c.a, &c.b)
}

// calm makes c a service without what changes all the time.
func calm(c, s *control.ServiceStatus) {
	*c = *s
	c.CPUPercent, c.MemoryBytes, c.Processes = 0, 0, 0
	if len(c.Probes) > 0 {
		c.Probes = slices.Clone(c.Probes)
		for n := range c.Probes {
			c.Probes[n].At, c.Probes[n].Next, c.Probes[n].DurationMS = nil, nil, 0
		}
	}
	if len(c.Thresholds) > 0 {
		c.Thresholds = slices.Clone(c.Thresholds)
		for n := range c.Thresholds {
			c.Thresholds[n].Value = ""
		}
	}
}

// calmHost is the host without what its log targets count.
func calmHost(h control.HostStatus) control.HostStatus {
	h.LogTargets = slices.Clone(h.LogTargets)
	for n, t := range h.LogTargets {
		h.LogTargets[n] = control.LogTargetStatus{Name: t.Name, Type: t.Type, State: t.State, Since: t.Since, Reason: t.Reason}
	}
	return h
}
