package process

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// client is the Backend that Dial returns. Its reading goroutine never waits for anybody but the
// connection: events go into a queue, output into channels that a window bounds.
type client struct {
	*wire
	events *queue
	lost   chan struct{} // closed when the connection is lost or closed

	mu       sync.Mutex
	last     uint64
	calls    map[uint64]chan answer
	channels map[uint64]*channel
	cause    *Error
	closed   bool
}

func (c *client) read() {
	err := c.readFrames()
	c.fail(err)
	c.conn.Close()
}

// fail ends everything that waits. The first cause stays.
func (c *client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return
	}
	c.cause = &Error{Kind: ErrOther, Message: fmt.Sprintf("the connection to the process that holds the children is lost: %v", err)}
	close(c.lost)
}

func (c *client) readFrames() error {
	for {
		kind, n, err := c.next()
		if err != nil {
			return err
		}
		if kind == frameData {
			if err := c.readData(n); err != nil {
				return err
			}
			continue
		}
		rest, err := c.readRest(n)
		if err != nil {
			return err
		}
		switch kind {
		case frameAnswer:
			var a answer
			if err := json.Unmarshal(rest, &a); err != nil {
				return fmt.Errorf("cannot read an answer: %w", err)
			}
			c.mu.Lock()
			reply := c.calls[a.Number]
			delete(c.calls, a.Number)
			c.mu.Unlock()
			if reply != nil {
				reply <- a
			}
		case frameEvent:
			var e Event
			if err := json.Unmarshal(rest, &e); err != nil {
				return fmt.Errorf("cannot read an event: %w", err)
			}
			c.events.put(e)
		case frameEnd:
			var end copyEnd
			if err := json.Unmarshal(rest, &end); err != nil {
				return fmt.Errorf("cannot read the end of an output: %w", err)
			}
			if ch := c.channel(end.Channel); ch != nil {
				ch.end(end.Error)
			}
		default:
			return fmt.Errorf("a frame of type %d is no message", kind)
		}
	}
}

func (c *client) readData(n int) error {
	if n < 8 || n > 8+maxData {
		return fmt.Errorf("a frame of %d bytes of output", n)
	}
	var number [8]byte
	if _, err := io.ReadFull(c.conn, number[:]); err != nil {
		return err
	}
	buf := frames.Get().(*frame)
	buf.n = n - 8
	if _, err := io.ReadFull(c.conn, buf.data[:buf.n]); err != nil {
		return err
	}
	ch := c.channel(binary.BigEndian.Uint64(number[:]))
	if ch == nil { // stopped meanwhile: it comes again with the next Copy
		frames.Put(buf)
		return nil
	}
	if !ch.add(buf) {
		return fmt.Errorf("the other end sends more output than was asked for")
	}
	return nil
}

// call sends a call and waits for its answer.
func (c *client) call(q call) (answer, error) {
	reply := make(chan answer, 1)
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return answer{}, c.cause
	}
	c.last++
	q.Number = c.last
	c.calls[q.Number] = reply
	c.mu.Unlock()
	if err := c.sendJSON(frameCall, q); err != nil {
		c.mu.Lock()
		delete(c.calls, q.Number)
		c.mu.Unlock()
		if hungUp(err) {
			c.fail(err)
		}
		return answer{}, &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot reach the process that holds the children: %v", err)}
	}
	select {
	case a := <-reply:
		if a.Error != nil {
			return a, a.Error
		}
		return a, nil
	case <-c.lost:
		return answer{}, c.cause
	}
}

func (c *client) Start(id RunID, r Request) (Identity, error) {
	a, err := c.call(call{Method: callStart, Run: id, Request: encodeRequest(r)})
	return a.Identity, err
}

func (c *client) StopStep(id RunID, do string) error {
	_, err := c.call(call{Method: callStopStep, Run: id, Do: do})
	return err
}

func (c *client) KillTree(id RunID) error {
	_, err := c.call(call{Method: callKillTree, Run: id})
	return err
}

func (c *client) List() []Run {
	a, _ := c.call(call{Method: callList})
	return a.Runs
}

func (c *client) Ack(id RunID) {
	_, _ = c.call(call{Method: callAck, Run: id}) // a run that is not acknowledged stays in List
}

func (c *client) Usage(id RunID, full bool) (Usage, error) {
	a, err := c.call(call{Method: callUsage, Run: id, Full: full})
	return a.Usage, err
}

func (c *client) OpenOutput(id RunID, s Stream) (Output, error) {
	if _, err := c.call(call{Method: callOutput, Run: id, Stream: s}); err != nil {
		return nil, err
	}
	return &remoteOutput{client: c, run: id, stream: s, closed: make(chan struct{})}, nil
}

func (c *client) Events() <-chan Event { return c.events.out }

// Close closes the Backend at the other end and then the connection. Over a lost connection it frees this
// end only and says so.
func (c *client) Close() error {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		return nil
	}
	_, err := c.call(call{Method: callClose})
	c.fail(io.ErrClosedPipe)
	c.conn.Close()
	c.events.close()
	return err
}
