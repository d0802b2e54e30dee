package logs

import (
	"testing"
	"time"
	_ "time/tzdata"

	"servicehost/spec"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNextPeriod(t *testing.T) {
	const form = "2006-01-02 15:04:05 -0700"
	for _, c := range []struct {
		zone  string
		every spec.Rotation
		now   string
		next  []string
	}{
		{"UTC", spec.RotateDaily, "2026-11-21 15:04:05 +0000", []string{"2026-11-22 00:00:00 +0000", "2026-11-23 00:00:00 +0000"}},
		{"UTC", spec.RotateHourly, "2026-12-31 23:59:59 +0000", []string{"2027-01-01 00:00:00 +0000", "2027-01-01 01:00:00 +0000"}},
		{"Europe/Berlin", spec.RotateDaily, "2026-03-28 12:00:00 +0100", []string{"2026-03-29 00:00:00 +0100", "2026-03-30 00:00:00 +0200"}},
		{"Europe/Berlin", spec.RotateHourly, "2026-03-29 01:30:00 +0100", []string{"2026-03-29 03:00:00 +0200", "2026-03-29 04:00:00 +0200"}},
		{"Europe/Berlin", spec.RotateHourly, "2026-10-25 02:30:00 +0200", []string{"2026-10-25 02:00:00 +0100", "2026-10-25 03:00:00 +0100"}},
		{"Europe/Berlin", spec.RotateDaily, "2026-10-25 02:30:00 +0100", []string{"2026-10-26 00:00:00 +0100"}},
		{"Asia/Kolkata", spec.RotateHourly, "2026-01-01 10:29:59 +0530", []string{"2026-01-01 11:00:00 +0530"}},
		// Clocks that are set by half an hour, in the middle of one.
		{"Australia/Lord_Howe", spec.RotateHourly, "2026-04-05 01:10:00 +1100", []string{"2026-04-05 02:00:00 +1030", "2026-04-05 03:00:00 +1030"}},
		{"Australia/Lord_Howe", spec.RotateHourly, "2026-10-04 01:10:00 +1030", []string{"2026-10-04 03:00:00 +1100"}},
		// Midnights that don't exist, or come twice, and a day that never was.
		{"America/Sao_Paulo", spec.RotateDaily, "2018-11-03 12:00:00 -0300", []string{"2018-11-04 01:00:00 -0200", "2018-11-05 00:00:00 -0200"}},
		{"America/Havana", spec.RotateDaily, "2026-10-31 12:00:00 -0400", []string{"2026-11-01 00:00:00 -0400", "2026-11-02 00:00:00 -0500"}},
		{"Pacific/Apia", spec.RotateDaily, "2011-12-29 12:00:00 -1000", []string{"2011-12-31 00:00:00 +1400"}},
	} {
		p := period{c.every, zone(t, c.zone)}
		now, err := time.Parse(form, c.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.next {
			now = p.next(now)
			if got := now.Format(form); got != want {
				t.Errorf("%s in %s: after %s comes %s, want %s", c.every, c.zone, c.now, got, want)
			}
		}
	}
}

func TestPeriodsFollowEachOther(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Chatham", "Antarctica/Troll"}
	for _, name := range zones {
		for _, every := range []spec.Rotation{spec.RotateHourly, spec.RotateDaily} {
			p := period{every, zone(t, name)}
			at := p.start(time.Date(2017, 12, 31, 12, 0, 0, 0, time.UTC))
			for at.Year() < 2019 {
				next := p.next(at)
				if !next.After(at) || next.Sub(at) > p.longest() {
					t.Fatalf("%s %s: %s follows %s", name, every, next, at)
				}
				if s := p.start(next.Add(-1)); !s.Equal(at) && every == spec.RotateDaily || s.After(next) {
					t.Fatalf("%s %s: before %s it is the period of %s, not of %s", name, every, next, s, at)
				}
				if s := p.start(next); !s.Equal(next) {
					t.Fatalf("%s %s: %s begins at %s", name, every, next, s)
				}
				at = next
			}
		}
	}
}
