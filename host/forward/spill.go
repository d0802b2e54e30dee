package forward

import (
	"fmt"
	"slices"
	"time"

	"servicehost/host/human"
)

// spillHeld writes the batch that is next into the spool, if that is empty: else it would be behind what is
// younger. It reports whether there is none in memory only.
func (t *target) spillHeld(now time.Time) bool {
	b := t.held
	if b == nil || b.spooled {
		return true
	}
	if !t.spools(now) || !t.spool.empty() {
		return false
	}
	if _, ok := t.write(b, now); !ok {
		return false
	}
	b.free()
	t.held = nil
	return true
}

// spools reports whether the spool can be written.
func (t *target) spools(now time.Time) bool {
	return t.spool != nil && t.spool.max > 0 && !now.Before(t.spoolAt)
}

// write adds the records of a batch to the spool.
func (t *target) write(b *batch, now time.Time) (end position, ok bool) {
	data := b.chunks[0]
	if len(b.chunks) > 1 {
		data = slices.Concat(b.chunks...)
	}
	l, end, err := t.spool.add(data, b.records)
	t.overflow(l)
	if err != nil {
		t.spoolFailed(err, now)
		return end, false
	}
	t.spoolWell()
	return end, true
}

func (t *target) spoolWell() {
	if t.spoolBad {
		t.spoolBad = false
		t.event(EventRecovered, fmt.Sprintf("the spool of log target %q is written again", t.name))
	}
}

// overflow counts what had to give way in the spool.
func (t *target) overflow(l lost) {
	if l.out {
		for _, b := range []*batch{t.flying, t.held} {
			if b != nil {
				b.spooled = false
			}
		}
	}
	t.lose(l, fmt.Sprintf("its spool of %s is full", human.Size(t.cfg.Spool)))
}

// spill writes to the spool what is too old to be in memory only, oldest first, or all of it.
func (t *target) spill(now time.Time, all bool) {
	if !t.spools(now) {
		return
	}
	oldest, _, size := t.in.oldest()
	old := func(at time.Time) bool { return !at.IsZero() && now.Sub(at) >= spillAfter }
	flying := t.flying != nil && !t.flying.spooled && t.flying.records > 0
	if !all && !(flying && old(t.flying.first)) && !old(oldest) && size < spillBytes {
		return
	}
	if flying && t.spool.empty() {
		end, ok := t.write(t.flying, now)
		if !ok {
			return
		}
		t.flying.spooled, t.flying.end, t.flying.whole = true, end, t.flying.records
		t.spool.out = t.flying.records
	} else if t.flying == nil && !t.spillHeld(now) && t.spool.empty() {
		return
	}
	chunks := t.in.takeAll()
	for n, c := range chunks {
		if _, ok := t.write(&batch{chunks: [][]byte{c.data}, records: c.records}, now); !ok {
			t.in.putBack(chunks[n:])
			return
		}
		c.free()
	}
}

func (t *target) spoolFailed(err error, now time.Time) {
	t.spoolAt = now.Add(spoolRetry)
	if t.cfg.Spool == 0 {
		return // there is no need of it
	}
	if t.spoolTold.IsZero() || now.Sub(t.spoolTold) >= tellEvery {
		t.spoolTold, t.spoolBad = now, true
		t.event(EventTrouble, fmt.Sprintf("cannot use the spool of log target %q, what waits for it is in memory only: %v", t.name, err))
	}
}
