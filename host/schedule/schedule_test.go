package schedule

import (
	"testing"
	"time"

	"servicehost/spec"
)

func times(t *testing.T, cron, zone string) *Times {
	t.Helper()
	s, err := New(spec.Schedule{Cron: cron, Timezone: zone})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNextTimes(t *testing.T) {
	for _, c := range []struct {
		name, cron, zone, after string
		want                    []string
	}{
		{"each day", "0 3 * * *", "Asia/Shanghai", "2026-11-21T00:00:00Z", []string{"2026-11-22T03:00:00+08:00", "2026-11-23T03:00:00+08:00"}},
		{"seconds", "*/20 * * * * *", "UTC", "2026-11-21T00:00:01Z", []string{"2026-11-21T00:00:20Z", "2026-11-21T00:00:40Z", "2026-11-21T00:01:00Z"}},
		{"word", "@hourly", "UTC", "2026-11-21T00:10:00Z", []string{"2026-11-21T01:00:00Z"}},
		{"every", "@every 90s", "UTC", "2026-11-21T00:00:00Z", []string{"2026-11-21T00:01:30Z", "2026-11-21T00:03:00Z"}},
		{"leap day", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		// Clocks go from 02:00 to 03:00 on 2027-03-28 in Berlin.
		{"skipped hour", "30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", []string{"2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"}},
		{"two in a skipped hour", "0,30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", []string{"2027-03-28T03:00:00+02:00", "2027-03-29T02:00:00+02:00"}},
		{"every hour over the gap", "30 * * * *", "Europe/Berlin", "2027-03-28T01:00:00+01:00", []string{"2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"}},
		// And from 03:00 back to 02:00 on 2026-10-25.
		{"hour that comes twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"between both", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00", []string{"2026-10-26T02:30:00+01:00"}},
		{"every hour goes on", "30 * * * *", "Europe/Berlin", "2026-10-25T02:00:00+02:00", []string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"}},
		// A gap at midnight: clocks in Santiago went from 00:00 to 01:00 on 2026-09-06.
		{"skipped midnight", "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", []string{"2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, at := times(t, c.cron, c.zone), parse(t, c.after)
			for _, want := range c.want {
				if at = s.Next(at); !at.Equal(parse(t, want)) {
					t.Fatalf("got %s, want %s", at, want)
				}
			}
		})
	}
}

// TestEachDayOnce walks two years of a zone with changes of the clocks: a daily job is due once each day.
func TestEachDayOnce(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Shanghai"} {
		for _, cron := range []string{"30 2 * * *", "0 0 * * *", "45 1 * * *"} {
			s := times(t, cron, zone)
			at := parse(t, "2026-01-01T12:00:00Z")
			end := at.AddDate(2, 0, 0)
			day := at.In(s.zone).YearDay()
			for at.Before(end) {
				next := s.Next(at)
				if !next.After(at) {
					t.Fatalf("%s in %s: %s follows %s", cron, zone, next, at)
				}
				if d := next.In(s.zone).YearDay(); d != day%366+1 && d != 1 {
					t.Fatalf("%s in %s: %s follows %s", cron, zone, next.In(s.zone), at.In(s.zone))
				}
				at, day = next, next.In(s.zone).YearDay()
			}
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add("30 2 * * *", int64(1_800_000_000))
	f.Add("*/7 1-3 31 * 1", int64(1_774_700_000))
	f.Fuzz(func(t *testing.T, cron string, unix int64) {
		s, err := New(spec.Schedule{Cron: cron, Timezone: "Europe/Berlin"})
		if err != nil {
			return
		}
		at := time.Unix(unix%4_000_000_000, 0)
		if next := s.Next(at); !next.IsZero() && !next.After(at) {
			t.Errorf("%q: %s follows %s", cron, next, at)
		}
	})
}
