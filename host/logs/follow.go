package logs

import (
	"context"
	"time"
)

const (
	// turn is how much is read of one log before the others have their turn.
	turn = 4 << 20
	// leaveAfter is how long a file that somebody else has moved away is still read: who writes to it
	// looks only once a second.
	leaveAfter = 1500 * time.Millisecond
)

// follow sends the history of all and then what is added, until ctx ends.
func (r *reader) follow(ctx context.Context, all []*follower) error {
	watch := newWatch(all)
	defer watch.close()
	if err := r.histories(ctx, all); err != nil {
		return err
	}
	tick := time.NewTicker(watch.every())
	defer tick.Stop()
	watch.markAll()
	for {
		for len(watch.dirty) > 0 {
			for t := range watch.dirty {
				delete(watch.dirty, t)
				more, err := r.step(ctx, t)
				if err != nil {
					return err
				}
				if more {
					watch.dirty[t] = true
				}
			}
			watch.poll()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-watch.events:
			watch.event(e, ok)
		case err, ok := <-watch.errors:
			watch.trouble(err, ok)
		case <-tick.C:
			watch.markAll()
		}
	}
}

// step sends what is new in one log and reports whether there is more to read at once.
func (r *reader) step(ctx context.Context, t *follower) (more bool, err error) {
	if t.f == nil {
		if _, err := pathInfo(t.Path); err != nil {
			return false, nil //nolint:nilerr // not there yet
		}
		return r.next(ctx, t)
	}
	end, err := r.toEnd(ctx, t, turn)
	if err != nil || !end {
		return !end, err
	}
	info, err := fileInfoOf(t.f)
	if err != nil {
		return false, err
	}
	if info.size < t.off { // copytruncate
		t.off, t.part = 0, nil
		return true, nil
	}
	if now, err := pathInfo(t.Path); err == nil && now.id == t.id {
		t.left = 0
		return false, nil
	}
	return r.leave(ctx, t)
}

// leave goes on to the next file if nothing more can be written to t.f, which has another name now.
func (r *reader) leave(ctx context.Context, t *follower) (more bool, err error) {
	list, err := settledRotated(t.Path)
	if err != nil {
		return false, nil // the folder is gone or busy: the next tick looks again
	}
	newer := after(list, t.lastMS)
	if len(newer) == 0 {
		// Not rotated by a host. Whoever writes to it may not have noticed.
		now := time.Now().UnixMilli()
		if t.left == 0 {
			t.left = now
		}
		if now-t.left < leaveAfter.Milliseconds() {
			return false, nil
		}
	}
	// Between the last read and the renaming something may have been added.
	if _, err := r.toEnd(ctx, t, 0); err != nil {
		return false, err
	}
	if i, ok := t.among(newer); ok {
		t.lastMS = newer[i].ms
	}
	if err := r.flush(t); err != nil {
		return false, err
	}
	t.close()
	return r.next(ctx, t)
}

// next opens the current file and sends first what was rotated since t.lastMS.
func (r *reader) next(ctx context.Context, t *follower) (more bool, err error) {
	older, err := t.openCurrent()
	if err == nil {
		older, err = t.settle(older)
	}
	if err != nil {
		t.close()
		return false, nil //nolint:nilerr // it may come back; the next tick looks again
	}
	for _, o := range after(older, t.lastMS) {
		if err := r.whole(ctx, t, o); err != nil {
			return false, err
		}
		t.lastMS = o.ms
	}
	return t.f != nil, nil
}

// after is the part of list, which is ordered, that is newer than ms.
func after(list []rotated, ms int64) []rotated {
	for i, o := range list {
		if o.ms > ms {
			return list[i:]
		}
	}
	return nil
}
