// Package schedule works out when a scheduled service is due.
package schedule

import (
	"time"

	"github.com/robfig/cron/v3"

	"servicehost/spec"
)

// Times are those of one schedule, in its time zone.
type Times struct {
	cron cron.Schedule
	zone *time.Location
	// byWall is set where the hour is named: such a job is due once a day whatever the clocks do.
	byWall bool
}

// hourStar is the bit by which the parser says that the hour was a plain star.
const hourStar = 1 << 63

// New reads a schedule. The error is one for people; a spec that was loaded has none.
func New(s spec.Schedule) (*Times, error) {
	c, err := spec.ParseCron(s.Cron)
	if err != nil {
		return nil, err
	}
	t := &Times{cron: c, zone: time.Local}
	if s.Timezone != "" {
		if t.zone, err = time.LoadLocation(s.Timezone); err != nil {
			return nil, err
		}
	}
	if fields, ok := c.(*cron.SpecSchedule); ok {
		own := *fields // the parser may hand out the same one again
		own.Location = t.zone
		t.byWall = fields.Hour&hourStar == 0
		if t.byWall {
			own.Location = time.UTC
		}
		t.cron = &own
	}
	return t, nil
}

// Next returns the first moment after the given one at which it is due; zero: never.
//
// A job at a named hour follows the clock on the wall: an hour that the clocks skip makes it due when they
// have, one that comes twice makes it due the first time only. A job of every hour follows the time that passes.
func (t *Times) Next(after time.Time) time.Time {
	if !t.byWall {
		next := t.cron.Next(after.In(t.zone))
		return next
	}
	wall := onWall(after.In(t.zone))
	for {
		wall = t.cron.Next(wall)
		if wall.IsZero() {
			return wall
		}
		if at := t.at(wall); at.After(after) {
			return at
		}
	}
}

// onWall is what the clock shows at t, as if it were that of UTC.
func onWall(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// at is the first moment at which the clocks show wall, or have passed it.
func (t *Times) at(wall time.Time) time.Time {
	y, m, d := wall.Date()
	at := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), 0, t.zone)
	start, end := at.ZoneBounds()
	switch shown := onWall(at); {
	case shown.After(wall): // skipped; at is behind the gap
		return start
	case shown.Before(wall):
		return end
	}
	if start.IsZero() {
		return at
	}
	// Shown a second time? Then the clocks have shown it before they were put back.
	_, now := at.Zone()
	_, before := start.Add(-time.Second).Zone()
	if first := at.Add(-time.Duration(before-now) * time.Second); before > now && first.Before(start) {
		return first
	}
	return at
}
