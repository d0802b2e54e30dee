package logs

import (
	"errors"
	"fmt"
	"os"
	"time"

	"servicehost/host/human"
)

// compressRound compresses one file of each log in the queue, and reports whether others are due. It is
// called by the worker only.
func (s *Set) compressRound() (busy bool) {
	s.mu.Lock()
	round := s.queue
	s.queue = nil
	for _, a := range round {
		a.queued = false
	}
	s.mu.Unlock()
	for _, a := range round {
		more, wait := s.compressNext(a)
		if more {
			s.enqueue(a, wait)
		}
		busy = busy || (more && wait == 0)
	}
	return busy
}

// compressNext compresses the oldest rotated file that is due. It reports whether there are others,
// and after what time the next is due.
func (s *Set) compressNext(a *archive) (more bool, wait time.Duration) {
	r, to, wait, ok := a.nextPlain(s.sinceEpoch())
	if !ok || wait > 0 {
		return ok, wait
	}
	c := newPacking(a.path, r, to)
	err := c.run(func() bool { return s.closing.Load() || r.ms < a.oldest.Load() })
	if err == nil && a.has(r.ms) {
		err = c.finish()
	}
	if e, ok := a.endPacking(c, r, err, s); ok {
		s.tell(e)
	}
	return true, 0
}

func (a *archive) has(ms int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.index(ms) >= 0
}

// endPacking ends a compression, and returns what is to be told of it.
func (a *archive) endPacking(c *packing, r rotated, err error, s *Set) (e Event, tell bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := a.index(r.ms)
	if i < 0 || errors.Is(err, errAborted) {
		c.discard(i < 0)
		return e, false
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) { // that is one which somebody else deleted
		a.list[i].due = s.sinceEpoch() + s.timing.sweep.Milliseconds()
		tell, a.packFailed = !a.packFailed, true
		return Event{
			ID: a.id, Path: a.path, Kind: EventTrouble,
			Text: fmt.Sprintf("cannot compress %s: %s; it stays as it is for now", human.Path(c.plain), cause(err)),
		}, tell
	}
	a.bytes.Add(-a.list[i].size)
	a.list[i].form = c.form
	a.list[i].size = a.measure(a.list[i])
	a.bytes.Add(a.list[i].size)
	tell, a.packFailed = a.packFailed, false
	return Event{
		ID: a.id, Path: a.path, Kind: EventRecovered,
		Text: fmt.Sprintf("rotated files of log %s are compressed again", human.Path(a.path)),
	}, tell
}

// nextPlain returns the oldest file that isn't compressed; wait is 0 if it is due.
func (a *archive) nextPlain(now int64) (r rotated, to form, wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left.Load() {
		return rotated{}, 0, 0, false
	}
	for _, x := range a.list {
		if !a.unpacked(x) {
			continue
		}
		if x.due <= now {
			return x, a.pack, 0, true
		}
		if d := time.Duration(x.due-now) * time.Millisecond; !ok || d < wait {
			r, wait, ok = x, d, true
		}
	}
	return r, a.pack, wait, ok
}
