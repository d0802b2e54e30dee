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
