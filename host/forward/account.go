package forward

import (
	"fmt"
	"time"

	"servicehost/host/human"
)

// lostRecords is what was lost since it was last told.
type lostRecords struct {
	records, bytes int64
	why            string
	told           time.Time
}

// lose counts records that are lost.
func (t *target) lose(l lost, why string) {
	if l.records == 0 {
		return
	}
	t.dropped.Add(int64(l.records))
	t.droppedBytes.Add(l.bytes)
	t.lost.records += int64(l.records)
	t.lost.bytes += l.bytes
	t.lost.why = why
}

// countIntake takes over what found no room in memory.
func (t *target) countIntake() {
	if n := t.in.dropped.Swap(0); n > 0 {
		t.lose(lost{records: int(n), bytes: t.in.lost.Swap(0)}, "they came faster than they could be sent or written to the spool")
	}
}

// tellLost tells of losses, now and then or now.
func (t *target) tellLost(now time.Time, at bool) {
	l := &t.lost
	if l.records == 0 || !at && !l.told.IsZero() && now.Sub(l.told) < tellEvery {
		return
	}
	records, size := l.records, l.bytes
	text := fmt.Sprintf("log target %q: dropped %s (%s): %s", t.name, human.Count(int(records), "record"), human.Size(size), l.why)
	*l = lostRecords{told: now}
	t.o.OnEvent(Event{Target: t.name, Kind: EventDropped, Text: text, Records: records, Bytes: size})
}

func (t *target) event(kind, text string) {
	t.o.OnEvent(Event{Target: t.name, Kind: kind, Text: text})
}

// show makes what belongs to the goroutine visible to others.
func (t *target) show() {
	_, waiting, _ := t.in.oldest()
	spooled := int64(0)
	if t.spool != nil {
		waiting += t.spool.waiting()
		spooled = t.spool.bytes()
	}
	for _, b := range []*batch{t.held, t.flying} {
		if b != nil && !b.spooled {
			waiting += b.records
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shown.Name, t.shown.Type = t.name, t.cfg.Type
	t.shown.WaitingRecords, t.shown.SpooledBytes = int64(waiting), spooled
}

func (t *target) statistics() Stats {
	t.mu.Lock()
	s := t.shown
	t.mu.Unlock()
	s.Name = t.name
	s.SentRecords, s.SentBytes = t.sentRecords.Load(), t.sentBytes.Load()
	s.DroppedRecords, s.DroppedBytes = t.dropped.Load()+t.in.dropped.Load(), t.droppedBytes.Load()+t.in.lost.Load()
	if s.State != StateTrouble {
		s.LastError = ""
	}
	return s
}

// failed notes a failure and when to try again. The second one in a row is a trouble.
func (t *target) failed(err error, wait time.Duration, now time.Time) {
	t.fails++
	t.retryAt = now.Add(max(delay(t.fails), wait))
	t.mu.Lock()
	t.shown.LastError = err.Error()
	tell := t.fails >= 2 && t.shown.State != StateTrouble
	if tell {
		t.shown.State, t.shown.Since = StateTrouble, now
	}
	t.mu.Unlock()
	if tell {
		kept := "what waits for it is in memory only"
		if t.spool != nil && t.cfg.Spool > 0 {
			kept = "up to " + human.Size(t.cfg.Spool) + " is kept for it on disk"
		}
		t.event(EventTrouble, fmt.Sprintf("log target %q takes nothing: %v; %s", t.name, err, kept))
	}
}

// well ends a trouble.
func (t *target) well(now time.Time) {
	t.fails, t.retryAt = 0, time.Time{}
	t.mu.Lock()
	since := t.shown.Since
	tell := t.shown.State == StateTrouble
	if tell {
		t.shown.State, t.shown.Since = StateOK, now
	}
	t.shown.LastError = ""
	waiting := t.shown.WaitingRecords
	t.mu.Unlock()
	if tell {
		t.event(EventRecovered, fmt.Sprintf("log target %q takes records again after %s; %s waited for it", t.name, human.Duration(now.Sub(since)), human.Count(int(waiting), "record")))
	}
}
