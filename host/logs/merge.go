package logs

import (
	"context"
	"errors"
	"io"
)

// cursor goes through the history of one log, from file to file.
type cursor struct {
	t     *follower
	older []rotated // not begun yet
	from  int64     // offset in the first file
	skip  int64     // selected lines of the first file that are left out
	cur   bool      // the current file is still to come
	order int       // among lines of the same time
	seg   *segment

	at    int64 // of the line; times never go back within a log
	waits bool  // there is no line yet, only that none is older than at
}

// advance goes to the next line, or to the beginning of the next file, and reports whether there is one.
func (c *cursor) advance(ctx context.Context, r *reader) (bool, error) {
	for {
		if c.seg == nil {
			if ok, err := c.begin(r); !ok || err != nil {
				return false, err
			}
			continue
		}
		err := c.seg.next(ctx)
		switch {
		case err == nil && c.skip > 0:
			c.skip--
			continue
		case err == nil:
			c.at = max(c.at, c.seg.at)
			return true, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		case !errors.Is(err, io.EOF):
			r.missed(c.t, err)
		}
		more := c.end(r)
		if c.waits = more; more {
			return true, nil
		}
		return false, nil
	}
}

// begin opens the next file and reports whether there is one.
func (c *cursor) begin(r *reader) (bool, error) {
	if r.until > 0 && c.at > r.until+disorder {
		c.older, c.cur = nil, false
	}
	for len(c.older) > 0 {
		o := c.older[0]
		seg, err := r.rotatedSegment(c.t, o, c.at, c.from)
		if err != nil {
			r.missed(c.t, err)
		}
		if seg != nil {
			c.seg = seg
			return true, nil
		}
		c.end(r)
	}
	if !c.cur {
		return false, nil
	}
	c.seg = r.currentSegment(c.t, c.at, c.from)
	return true, nil
}

// end leaves the file and reports whether there is another one.
func (c *cursor) end(r *reader) bool {
	if c.seg != nil {
		c.seg.close()
		c.seg = nil
	}
	c.from, c.skip = 0, 0
	if len(c.older) == 0 {
		c.cur = false
		if c.t.f != nil {
			c.t.off = c.t.size
		}
		if !r.q.Follow {
			c.t.close()
		}
		return false
	}
	c.at = max(c.at, c.older[0].ms)
	c.older = c.older[1:]
	return c.cur || len(c.older) > 0
}

func (c *cursor) before(o *cursor) bool {
	return c.at < o.at || c.at == o.at && c.order < o.order
}

// merge sends the lines of all logs by time. Lines of one log keep their order.
func (r *reader) merge(ctx context.Context, all []*cursor) error {
	defer func() {
		for _, c := range all {
			if c.seg != nil {
				c.seg.close()
			}
		}
	}()
	h := make(cursors, 0, len(all))
	for _, c := range all {
		c.order, c.waits = len(h), true
		h = append(h, c)
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	for len(h) > 0 {
		c := h[0]
		if !c.waits {
			if err := r.sendHead(c); err != nil {
				return err
			}
		}
		c.waits = false
		ok, err := c.advance(ctx, r)
		if err != nil {
			return err
		}
		if !ok {
			h[0] = h[len(h)-1]
			h = h[:len(h)-1]
		}
		h.down(0)
	}
	return nil
}

func (r *reader) sendHead(c *cursor) error {
	if r.surplus[c.t.ID] > 0 {
		r.surplus[c.t.ID]-- // the newest are of both files of a service together
		return nil
	}
	return r.sendAs(c.t, c.at, c.seg.stream, c.seg.line, c.seg.text)
}

// missed notes that a file could not be read to its end; the others are read all the same.
func (r *reader) missed(t *follower, err error) {
	if r.trouble == nil && !errors.Is(err, errLink) {
		r.trouble = t.failed(err)
	}
}

// cursors is a heap.
type cursors []*cursor

func (h cursors) down(i int) {
	for {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h[child].before(h[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
