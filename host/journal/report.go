package journal

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Report is how services did over a period; its fields are a contract. Durations are in seconds.
type Report struct {
	// Since is when the period begins: what was asked for, or the beginning of that day (UTC) where the journal
	// keeps only days of that time.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// KnownSince is when the journal begins, where that is later than Since: of the time before nothing is known.
	KnownSince *time.Time `json:"known_since,omitempty"`
	// Availability is that of all services together, in percent; null where none should have been up.
	Availability *float64        `json:"availability"`
	Host         HostReport      `json:"host"`
	Services     []ServiceReport `json:"services"` // never null
}

// HostReport is how the host itself did.
type HostReport struct {
	Starts  int `json:"starts"`
	Crashes int `json:"crashes"` // starts without an end of the former host
	// DownSeconds is how long no host ran. Services can't run then; it counts neither for nor against them.
	DownSeconds float64 `json:"down_seconds"`
}

// ServiceReport is how one instance did. Up, down, planned, host down and unknown are the whole period.
type ServiceReport struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Instance int    `json:"instance"`
	// Availability is up of up and down, in percent; null where it should never have been up.
	Availability *float64 `json:"availability"`
	UpSeconds    float64  `json:"up_seconds"`
	DownSeconds  float64  `json:"down_seconds"`
	// PlannedSeconds are those in which it was not meant to be up, and those of replacements that an operator or
	// an edit asked for, up to 5 minutes each.
	PlannedSeconds  float64 `json:"planned_seconds"`
	HostDownSeconds float64 `json:"host_down_seconds"`
	// UnknownSeconds are those of which the journal tells nothing.
	UnknownSeconds float64 `json:"unknown_seconds"`
	// Outages are times in which it should have been up and was not.
	Outages int `json:"outages"`
	// MTTRSeconds is the mean time to recover, MTBFSeconds the mean time up between two outages; null without one.
	MTTRSeconds   *float64       `json:"mttr_seconds"`
	MTBFSeconds   *float64       `json:"mtbf_seconds"`
	LongestOutage *Outage        `json:"longest_outage"`
	Restarts      int            `json:"restarts"`
	RestartsBy    map[string]int `json:"restarts_by"` // never null
	// Runs are those of a scheduled service that ended, FailedRuns those of them without success.
	Runs        int `json:"runs,omitempty"`
	FailedRuns  int `json:"failed_runs,omitempty"`
	SkippedRuns int `json:"skipped_runs,omitempty"`
}

// Outage is one time in which a service should have been up.
type Outage struct {
	From    time.Time `json:"from"`
	Seconds float64   `json:"seconds"`
	Reason  string    `json:"reason"`
	Ongoing bool      `json:"ongoing,omitempty"`
}

// ReportQuery selects what is reported.
type ReportQuery struct {
	Since time.Time
	Until time.Time // zero: now
	// Names are services or ids of instances; empty: all that the journal knows.
	Names []string
	// HostEnded says that no host runs, so that what was up last is not up any more.
	HostEnded bool
}

// MakeReport reads the journal in dir. It needs no running host and disturbs none.
func MakeReport(dir string, q ReportQuery) (Report, error) {
	if q.Until.IsZero() {
		q.Until = time.Now()
	}
	l, err := readLedger(dir, q.Since)
	if err != nil {
		return Report{}, err
	}
	if l.from.IsZero() { // there is no journal
		l.from = q.Since
	}
	if q.HostEnded && l.Host != hostDown { // the crash of a host is told by the next one only
		if alive := LastAlive(dir); alive.After(l.Last) && alive.Before(q.Until) {
			l.Last = alive
		}
	}
	return l.report(q), nil
}

// report ends the period and sums up. The ledger is of no use afterwards.
func (l *ledger) report(q ReportQuery) Report {
	until := q.Until
	if until.Before(l.Last) {
		until = l.Last
	}
	r := Report{Since: l.from, Until: until, Services: []ServiceReport{}}
	if l.First.After(l.from) {
		first := l.First
		r.KnownSince = &first
	}
	if q.HostEnded && l.Host != "" {
		for _, u := range l.units {
			u.hostEnds(l, l.Last)
		}
		l.span(l.Last, until, func(day string, ms int64) { l.day(day).Down += ms })
	}
	for _, d := range l.Days {
		r.Host.Starts += d.Starts
		r.Host.Crashes += d.Crashes
		r.Host.DownSeconds += seconds(d.Down)
	}
	var up, down float64
	for _, u := range l.units {
		if len(q.Names) > 0 && !slices.ContainsFunc(q.Names, Event{Service: u.Service, ID: u.ID, Instance: u.Instance}.IsOf) {
			continue
		}
		if s, known := u.report(l, until); known {
			r.Services = append(r.Services, s)
			up, down = up+s.UpSeconds, down+s.DownSeconds
		}
	}
	slices.SortFunc(r.Services, func(a, b ServiceReport) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.Instance-b.Instance)
	})
	r.Availability = percent(up, down)
	return r
}

// report sums up one instance; known is false where there is nothing to tell of it.
func (u *unit) report(l *ledger, until time.Time) (s ServiceReport, known bool) {
	gone := u.Phase == phaseNone
	var ongoing *Outage
	u.count(l, until)
	if !u.Outage.IsZero() {
		from := u.Outage
		if from.Before(l.from) {
			from = l.from
		}
		ongoing = &Outage{From: from, Seconds: until.Sub(from).Seconds(), Reason: u.Why, Ongoing: true}
	}
	s = ServiceReport{ID: orElse(u.ID, u.Service), Name: u.Service, Instance: u.Instance, RestartsBy: map[string]int{}}
	for _, day := range slices.Sorted(maps.Keys(u.Days)) {
		d := u.Days[day]
		s.UpSeconds += seconds(d.Up)
		s.DownSeconds += seconds(d.Down)
		s.PlannedSeconds += seconds(d.Planned)
		s.HostDownSeconds += seconds(d.Host)
		s.Outages += d.Outages
		s.Runs, s.FailedRuns, s.SkippedRuns = s.Runs+d.Runs, s.FailedRuns+d.Failed, s.SkippedRuns+d.Skipped
		for reason, n := range d.Restarts {
			s.RestartsBy[reason] += n
			s.Restarts += n
		}
		if d.Outages > 0 && (s.LongestOutage == nil || seconds(d.Longest) > s.LongestOutage.Seconds) {
			s.LongestOutage = &Outage{From: d.LongestAt, Seconds: seconds(d.Longest), Reason: d.LongestBy}
		}
	}
	if ongoing != nil {
		s.Outages++
		if s.LongestOutage == nil || ongoing.Seconds >= s.LongestOutage.Seconds {
			s.LongestOutage = ongoing
		}
	}
	whole := until.Sub(l.from).Seconds()
	s.UnknownSeconds = max(0, math.Round(1000*(whole-s.UpSeconds-s.DownSeconds-s.PlannedSeconds-s.HostDownSeconds))/1000)
	s.Availability = percent(s.UpSeconds, s.DownSeconds)
	if s.Outages > 0 {
		mttr, mtbf := s.DownSeconds/float64(s.Outages), s.UpSeconds/float64(s.Outages)
		s.MTTRSeconds, s.MTBFSeconds = &mttr, &mtbf
	}
	return s, !gone || len(u.Days) > 0
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }

// percent is up of up and down, rounded so that what was never down is 100, and nothing else is.
func percent(up, down float64) *float64 {
	if up+down <= 0 {
		return nil
	}
	p := 100.0
	if down > 0 {
		p = min(math.Floor(1e5*(up/(up+down)))/1e3, 99.999)
	}
	return &p
}
