package logs

import (
	"time"

	"servicehost/spec"
)

// setPeriod takes over when the log is rotated by time.
func (w *writer) setPeriod(p period, now time.Time) {
	if p == w.period && !w.turnAt.IsZero() {
		return
	}
	w.period, w.turnAt = p, time.Time{}
	w.nextTurn(now)
}

// nextTurn has the Set come back when the period that now is in ends.
func (w *writer) nextTurn(now time.Time) {
	if w.period.every == spec.RotateNever {
		return
	}
	w.turnAt = w.period.next(now)
	w.set.orderTurn(w.turnAt)
}

// turn has what was written before the turn of the hour or the day go aside at the next line end.
func (w *writer) turn(now time.Time) {
	if w.turnAt.IsZero() || now.Before(w.turnAt) {
		return
	}
	w.nextTurn(now)
	w.cutNext = w.cutNext || w.size > 0
}

// stale reports whether all that is in a file was written before this period.
func (w *writer) stale(info fileInfo, now time.Time) bool {
	return w.period.every != spec.RotateNever && info.size > 0 && info.modTime.Before(w.period.start(now))
}

// turnQuietly is turn for a log that nobody may write to for long.
func (w *writer) turnQuietly(now time.Time) {
	if w.closed || w.lost != nil || w.turnAt.IsZero() {
		return
	}
	if w.turnAt.Sub(now) > w.period.longest() {
		w.nextTurn(now) // the clock was set back
	}
	if w.f == nil {
		if !now.Before(w.turnAt) {
			w.nextTurn(now)
		}
		info, err := pathInfo(w.path)
		if err != nil || !info.regular || !w.stale(info, now) {
			return
		}
		if w.ready(now) == nil && w.held == nil { // which moves it aside
			w.shut()
		}
		return
	}
	w.turn(now)
	if !w.cutNext || (w.midLine && now.Sub(w.wroteAt) < time.Second) || now.Before(w.rotateAt) {
		return
	}
	if w.ready(now) != nil || w.size == 0 {
		return // the next write sees to it
	}
	if err := w.rotate(now); err != nil {
		w.fail(err, nil, now)
	}
}

// orderTurn has all logs looked at when a period of one ends: there is one timer for all.
func (s *Set) orderTurn(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() || (!s.turnAt.IsZero() && !at.Before(s.turnAt)) {
		return
	}
	s.turnAt = at
	if s.turning == nil {
		s.turning = time.AfterFunc(time.Until(at), s.turnAll)
	} else {
		s.turning.Reset(time.Until(at))
	}
}

// turnAll waits for no write that hangs.
func (s *Set) turnAll() {
	s.mu.Lock()
	s.turnAt = time.Time{}
	all := make([]*writer, 0, len(s.writers))
	for w := range s.writers {
		all = append(all, w)
	}
	s.mu.Unlock()
	for _, w := range all {
		if s.closing.Load() {
			return
		}
		if w.mu.TryLock() {
			w.turned()
		} else {
			go func() {
				w.mu.Lock()
				w.turned()
			}()
		}
	}
}

// turned unlocks w.
func (w *writer) turned() {
	defer w.unlock()
	if w.next.Load() != nil {
		w.take()
	}
	now := time.Now()
	if !w.turnAt.IsZero() && now.Before(w.turnAt) {
		w.set.orderTurn(w.turnAt) // the timer was early, or it is another's turn
		return
	}
	w.turnQuietly(now)
}
