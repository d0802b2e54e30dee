package logs

import (
	"time"

	"servicehost/spec"
)

// period says when a log is rotated by time. The zero value is never.
type period struct {
	every spec.Rotation
	zone  *time.Location
}

// start is when the hour or the day of t began: the time that a clock on the wall shows, whatever it was set by
// in between.
func (p period) start(t time.Time) time.Time {
	t = t.In(p.zone).Round(0)
	if p.every == spec.RotateHourly {
		return t.Add(-sinceHour(t))
	}
	return p.midnight(t.Year(), t.Month(), t.Day())
}

// next is when the next hour or day after t begins.
func (p period) next(t time.Time) time.Time {
	t = t.In(p.zone).Round(0)
	if p.every != spec.RotateHourly {
		n := p.midnight(t.Year(), t.Month(), t.Day()+1)
		if !n.After(t) { // a day that ends twice
			n = p.midnight(t.Year(), t.Month(), t.Day()+2)
		}
		return n
	}
	n := t.Add(time.Hour - sinceHour(t))
	if off := sinceHour(n); off != 0 { // the clock was set by a part of an hour
		if back := n.Add(-off); back.After(t) && sinceHour(back) == 0 {
			return back
		}
		return n.Add(time.Hour - off)
	}
	return n
}

// midnight is the first moment of a day, which may begin at one where clocks are set at midnight.
func (p period) midnight(year int, month time.Month, day int) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, p.zone)
	if noon := time.Date(year, month, day, 12, 0, 0, 0, p.zone); t.Day() != noon.Day() {
		if _, end := t.ZoneBounds(); !end.IsZero() {
			return end
		}
	}
	return t
}

func sinceHour(t time.Time) time.Duration {
	return time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}

// longest is more than any period takes.
func (p period) longest() time.Duration {
	if p.every == spec.RotateHourly {
		return 3 * time.Hour
	}
	return 49 * time.Hour
}

// period is the one that a spec asks for.
func (s *Set) period(l spec.Log) period {
	zone := s.local
	if l.RotateZone == spec.ZoneUTC {
		zone = time.UTC
	}
	if l.Rotate == spec.RotateNever {
		return period{}
	}
	return period{every: l.Rotate, zone: zone}
}
