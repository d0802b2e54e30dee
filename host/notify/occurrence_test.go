package notify

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// read gives events to a reader and returns what it makes of them: "event subject" or "end subject".
func read(events ...journal.Event) (out []string) {
	r := reader{ends: map[key]lastEnd{}}
	for n, e := range events {
		e.Seq = uint64(n + 1)
		for _, c := range r.read(e) {
			if c.fire != nil {
				out = append(out, c.fire.String())
				continue
			}
			for _, event := range append([]spec.AlertEvent{}, c.end.events...) {
				out = append(out, "end "+subjectOf{Event: event, Service: c.end.service, Instance: c.end.instance, Measure: c.end.measure}.String())
			}
			if len(c.end.events) == 0 {
				out = append(out, "end all of "+c.end.service)
			}
		}
	}
	return out
}

func TestEventsOfTheJournalBecomeAlerts(t *testing.T) {
	good := of("api", journal.ProcessExited, "exit 0 after 1s")
	good.Details = map[string]string{journal.DetailSuccess: "true"}
	crossed := of("api", journal.Threshold, "memory 500 MiB for 3 samples")
	crossed.Details = map[string]string{journal.DetailMeasure: "memory", journal.DetailLimit: "400MiB"}
	cleared := of("api", journal.ThresholdCleared, "")
	cleared.Details = crossed.Details
	errors, panics := of("api", journal.Threshold, "5 lines"), of("api", journal.Threshold, "5 lines")
	errors.Details = map[string]string{journal.DetailMeasure: "log", journal.DetailLimit: "5", journal.DetailPattern: "^ERROR"}
	panics.Details = map[string]string{journal.DetailMeasure: "log", journal.DetailLimit: "5", journal.DetailPattern: "panic"}
	from := func(was, to, cause string) journal.Event {
		e := state("api", to, "why")
		e.From, e.Details = was, map[string]string{journal.DetailCause: cause}
		return e
	}
	for what, c := range map[string]struct {
		events []journal.Event
		want   []string
	}{
		"an end that is followed by a restart": {[]journal.Event{of("api", journal.ProcessExited, "exit 3"), state("api", "backoff", "exit 3")}, []string{"api.1/exited"}},
		"a start that failed":                  {[]journal.Event{good, of("api", journal.StartFailed, "not found"), state("api", "backoff", "not found")}, []string{"api.1/exited"}},
		"a success that is followed by one":    {[]journal.Event{good, state("api", "backoff", "exit 0")}, nil},
		"liveness that was lost":               {[]journal.Event{from("running", "stopping", journal.CauseProbe), good, from("stopping", "backoff", "")}, []string{"api.1/exited"}},
		"the time that it may run":             {[]journal.Event{from("running", "stopping", journal.CauseMaxRuntime), of("api", journal.ProcessExited, "ended by SIGTERM"), from("stopping", "backoff", "")}, nil},
		"an end for good":                      {[]journal.Event{of("api", journal.ProcessExited, "exit 3"), of("api", journal.Failed, "gave up"), state("api", "failed", "gave up")}, []string{"api.1/failed"}},
		"readiness":                            {[]journal.Event{of("api", journal.Unhealthy, ""), of("api", journal.Recovered, "")}, []string{"api.1/unhealthy", "end api.1/unhealthy"}},
		"thresholds":                           {[]journal.Event{crossed, cleared}, []string{"api.1/threshold/memory 400MiB", "end api.1/threshold/memory 400MiB"}},
		"two thresholds of lines":              {[]journal.Event{errors, panics}, []string{`api.1/threshold/log 5 of "^ERROR"`, `api.1/threshold/log 5 of "panic"`}},
		"a limit":                              {[]journal.Event{of("api", journal.LimitHit, "memory")}, []string{"api.1/limit"}},
		"the spec": {[]journal.Event{{Kind: journal.ReloadPending}, {Kind: journal.ReloadRejected}, {Kind: journal.ReloadApplied}, {Kind: journal.LastGood}},
			[]string{"pending", "end pending", "reload_rejected", "reload", "reload_rejected"}},
		"a service that went back":        {[]journal.Event{of("api", journal.RolledBack, "")}, []string{"api.1/rolled_back"}},
		"a service that was removed":      {[]journal.Event{of("api", journal.ServiceRemoved, "")}, []string{"end all of api"}},
		"the host":                        {[]journal.Event{{Kind: journal.HostStarted}, {Kind: journal.HostStopping}, {Kind: journal.HostStopped}}, []string{"host_started", "host_stopped"}},
		"an operator":                     {[]journal.Event{of("api", journal.OperatorAction, "stop"), state("api", "stopped", "")}, nil},
		"its own trouble":                 {[]journal.Event{{Kind: journal.NotifyTrouble}, {Kind: journal.NotifyOK}, {Kind: journal.Warning}}, nil},
		"an instance beside another":      {[]journal.Event{{Kind: journal.Failed, Service: "api", Instance: 2, ID: "api.2"}}, []string{"api.2/failed"}},
		"an event with an id and no name": {[]journal.Event{{Kind: journal.Failed, ID: "api"}}, []string{"api.1/failed"}},
	} {
		if got := read(c.events...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

func TestLastLinesGoWithTheAlert(t *testing.T) {
	r := reader{ends: map[key]lastEnd{}}
	ended := of("api", journal.ProcessExited, "exit 3")
	ended.Details = map[string]string{journal.LastLines: "opening db\ncannot open db\n"}
	r.read(ended)
	c := r.read(of("api", journal.Failed, "gave up"))
	if len(c) != 1 || !slices.Equal(c[0].fire.Lines, []string{"opening db", "cannot open db"}) {
		t.Errorf("%+v", c)
	}
	r.read(state("api", "running", ""))
	if c := r.read(of("api", journal.Failed, "a dependency failed")); len(c[0].fire.Lines) > 0 {
		t.Errorf("lines of a former run: %q", c[0].fire.Lines)
	}
}

func TestQueueJoinsWhatNobodyHasSeen(t *testing.T) {
	var q queue
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	seq := uint64(0)
	put := func(subject, id string, s Status, count int) {
		seq++
		q.put(Alert{Alert: subject, ID: id, Status: s, Count: count, Total: count, Since: at, At: at}, seq, at)
		at = at.Add(10 * time.Second)
	}
	show := func() (out []string) {
		for _, m := range q.items {
			out = append(out, m.Alert.Alert+" "+m.ID+" "+string(m.Status)+" "+string(rune('0'+m.Count)))
		}
		return out
	}
	put("api", "1", Firing, 1)
	put("web", "2", Firing, 1)
	put("api", "3", Firing, 3)
	equal(t, "more of the same", show(), []string{"api 1 firing 4", "web 2 firing 1"})
	put("api", "4", Resolved, 0)
	equal(t, "its end", show(), []string{"api 1 firing 4", "web 2 firing 1", "api 4 resolved 0"})
	put("api", "5", Firing, 1)
	equal(t, "an end that did not last", show(), []string{"api 1 firing 5", "web 2 firing 1"})
	q.items[0].Tried = true
	put("api", "6", Firing, 2)
	put("api", "7", Firing, 1)
	equal(t, "what may have been seen stays", show(), []string{"api 1 firing 5", "web 2 firing 1", "api 6 firing 3"})
	if b := q.batch(20); len(b) != 1 {
		t.Errorf("what was tried goes with %d others", len(b)-1)
	}
	q.take(1)
	if b := q.batch(20); len(b) != 2 {
		t.Errorf("%d go together", len(b))
	}
	at = at.Add(joinAfter)
	put("api", "8", Resolved, 1)
	equal(t, "the end of what nobody heard of for long", show(), []string{"web 2 firing 1", "api 8 resolved 4"})
	for n := range queueMost + 5 {
		put("s", strconv.Itoa(1000+n), Resolved, 0)
	}
	if len(q.items) != queueMost || q.left != 7 {
		t.Errorf("%d wait, %d had no room", len(q.items), q.left)
	}
}

func TestLongEpisodeIsToldMoreAndMoreRarely(t *testing.T) {
	var times []time.Duration
	var now time.Time
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	counted := 0
	tr := tracker{rules: rules{group: 5 * time.Minute, recovered: true}, subjects: map[string]*subject{}}
	tr.emit = func(_ occurrence, _ *subject, _ Status, count int, _ time.Time, _ string) {
		times = append(times, now.Sub(began))
		counted += count
	}
	fired := 0
	for now = began; now.Before(began.Add(24 * time.Hour)); now = now.Add(time.Minute) {
		tr.tick(now)
		if now.Sub(began)%(10*time.Minute) == 0 { // as retry_after has it
			fired++
			tr.fire(occurrence{subjectOf: subjectOf{Event: spec.AlertFailed, Service: "api", Instance: 1}, Time: now}, now)
		}
	}
	if len(times) > 14 || times[1] > 15*time.Minute {
		t.Errorf("a day of failures led to %d messages: %v", len(times), times)
	}
	for n := 1; n < len(times); n++ {
		if times[n]-times[n-1] > longestWindow+10*time.Minute {
			t.Errorf("nothing was told for %v", times[n]-times[n-1])
		}
	}
	for _, s := range tr.subjects {
		counted += s.Held
	}
	if counted != fired {
		t.Errorf("%d of %d are told or collected", counted, fired)
	}
}
