package usage

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

const (
	// attention is how long a look counts.
	attention = time.Minute
	// round is how long it takes until everybody was sampled when nobody looks: a little less than a step of the
	// coarse history, which so has a point for each.
	round = 290 * time.Second
	// stride is the least time between two samplings of the round.
	stride = 5 * time.Second
	// middle of a step of the fine history: a timer that is late does not miss one.
	middle = 2500 * time.Millisecond
)

// schedule is when the loop has what to do; a zero time is never.
type schedule struct {
	look, watch, round time.Time
}

// loop samples by itself. It is the only goroutine that does.
func (s *Sampler) loop() {
	defer close(s.done)
	due := schedule{round: time.Now().Add(stride)}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		timer.Reset(due.next(now, s).Sub(now))
		select {
		case <-timer.C:
			s.tick(&due)
		case <-s.wake:
		case <-s.quit:
			return
		}
	}
}

// next returns when there is something to do, and plans what is not planned yet.
func (d *schedule) next(now time.Time, s *Sampler) time.Time {
	s.mu.Lock()
	looking, watching := s.until.After(now), len(s.watched) > 0
	s.mu.Unlock()
	plan := func(due *time.Time, on bool, step time.Duration) {
		switch {
		case !on:
			*due = time.Time{}
		case due.IsZero() || due.Sub(now) > step: // the latter where the clock was set back
			*due = grid(now, step)
		}
	}
	plan(&d.look, looking, fine.step)
	plan(&d.watch, watching, Period)
	first := d.round
	if looking {
		first = d.look // and the round rests
	}
	if watching && d.watch.Before(first) {
		first = d.watch
	}
	return first
}

// grid is the next moment of a raster on which all steps meet.
func grid(now time.Time, step time.Duration) time.Time {
	t := now.Truncate(step).Add(middle)
	if !t.After(now) {
		t = t.Add(step)
	}
	return t
}

// tick does what is due.
func (s *Sampler) tick(d *schedule) {
	now := time.Now()
	if !d.watch.IsZero() && !d.watch.After(now) {
		d.watch = grid(now, Period)
		s.watch()
	}
	if !d.look.IsZero() {
		if !d.look.After(now) {
			d.look = grid(now, fine.step)
			s.measure(func(string) (bool, bool) { return false, true }, nil)
		}
		d.round = now.Add(stride) // when nobody looks any more
		return
	}
	if !d.round.After(now) {
		d.round = now.Add(s.next())
	}
}

func (s *Sampler) watch() {
	s.mu.Lock()
	ids, tell := s.watched, s.tell
	s.mu.Unlock()
	samples := make(map[string]Sample, len(ids))
	s.measure(func(id string) (bool, bool) { full, ok := ids[id]; return full, ok }, samples)
	for _, id := range slices.Sorted(maps.Keys(samples)) {
		tell(samples[id])
	}
}

// next samples a few of those whose last look was longest ago, and returns when to go on.
func (s *Sampler) next() time.Duration {
	s.measuring.Lock()
	defer s.measuring.Unlock()
	list := s.instances()
	if len(list) == 0 {
		return round
	}
	type turn struct {
		tried int64
		index int
	}
	turns := make([]turn, len(list))
	s.mu.Lock()
	for n, i := range list {
		turns[n].index = n
		if t := s.tracks[i.ID]; t != nil && !t.tried.IsZero() {
			turns[n].tried = t.tried.UnixNano()
		}
	}
	s.mu.Unlock()
	strides := min(len(list), int(round/stride))
	few := (len(list) + strides - 1) / strides
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.tried, b.tried) })
	for _, t := range turns[:few] {
		s.look(list[t.index], false)
	}
	return round / time.Duration(strides)
}
