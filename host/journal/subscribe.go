package journal

import "context"

// subscriber has room for one element more than its bound: the last place is kept for the mark that
// says something was missed, so that a subscriber which stopped reading learns of it.
type subscriber struct {
	ch     chan Event
	bound  int
	gapped bool // the mark was put and nothing after it
}

// deliver never blocks. It is called with the lock of the journal held, by the only sender.
func (s *subscriber) deliver(e Event) {
	switch {
	case len(s.ch) < s.bound:
		s.gapped = false
		s.ch <- e
	case !s.gapped:
		s.gapped = true
		s.ch <- Event{Seq: e.Seq, Time: e.Time, Kind: Gap, Reason: "events were missed"}
	}
}

// Subscribe returns a channel of all events from now on; it is closed when ctx ends or the journal is
// closed. When its buffer (at least 1) is full, events pass it by and a single one of Kind Gap stands
// in their place, with the Seq of the first one missed; Read fills in what it was.
func (j *Journal) Subscribe(ctx context.Context, buffer int) <-chan Event {
	s := &subscriber{bound: max(buffer, 1)}
	s.ch = make(chan Event, s.bound+1)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		close(s.ch)
		return s.ch
	}
	j.subs[s] = struct{}{}
	context.AfterFunc(ctx, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.dropLocked(s)
	})
	return s.ch
}

func (j *Journal) dropLocked(s *subscriber) {
	if _, ok := j.subs[s]; ok {
		delete(j.subs, s)
		close(s.ch)
	}
}

// Follow hands the events that q selects to send, first those that happened, then without a seam
// those that happen, until ctx ends (nil) or send fails. What a slow send misses of the stream is
// read from the file; only what has been rotated away meanwhile is skipped.
func (j *Journal) Follow(ctx context.Context, q Query, send func(Event) error) error {
	err := j.follow(ctx, q, send)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (j *Journal) follow(ctx context.Context, q Query, send func(Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	live := j.Subscribe(ctx, 256)
	var last uint64
	read := func(q Query) error {
		once := func(e Event) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case e.Seq <= last:
				return nil
			}
			last = e.Seq
			return send(e)
		}
		unwritten := j.Flush()
		if err := Read(j.dir, q, once); err != nil {
			return err
		}
		if unwritten == nil || q.Last < 0 {
			return nil
		}
		// What the disk did not take is in memory.
		for _, e := range j.Recent(j.opts.Recent) {
			if q.Match(e) {
				if err := once(e); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := read(q); err != nil {
		return err
	}
	for e := range live {
		if e.Kind == Gap {
			// It stands for everything from its Seq to the next element, part of which may be read already.
			missed := q
			missed.Last, missed.After = 0, max(last, e.Seq-1)
			if err := read(missed); err != nil {
				return err
			}
			continue
		}
		if e.Seq <= last {
			continue
		}
		last = e.Seq
		if !q.Match(e) {
			continue
		}
		if err := send(e); err != nil {
			return err
		}
	}
	return nil
}
