package process

import "sync"

// frame is output under way from the connection to a sink.
type frame struct {
	n    int
	data [maxData]byte
}

var frames = sync.Pool{New: func() any { return new(frame) }}

// channel carries the output of one Copy.
type channel struct {
	ready chan struct{} // a token when there is something to take

	mu     sync.Mutex
	queue  []*frame
	bytes  int
	ended  bool
	broken *Error
}

// add queues a frame, or reports that the other end does not keep to the window.
func (ch *channel) add(f *frame) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.queue = append(ch.queue, f)
	ch.bytes += f.n
	ch.wake()
	return ch.bytes <= 16*window
}

func (ch *channel) end(e *Error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.ended, ch.broken = true, e
	ch.wake()
}

func (ch *channel) wake() {
	select {
	case ch.ready <- struct{}{}:
	default:
	}
}

// take returns the next frame, or nil and whether the channel has ended.
func (ch *channel) take() (f *frame, ended bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if len(ch.queue) == 0 {
		ch.queue = nil
		return nil, ch.ended
	}
	f = ch.queue[0]
	ch.queue = ch.queue[1:]
	ch.bytes -= f.n
	return f, false
}

func (c *client) channel(number uint64) *channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channels[number]
}

// remoteOutput is an Output of the other end. Every frame is acknowledged when the sink has had it:
// what is not comes again with the next Copy.
type remoteOutput struct {
	client *client
	run    RunID
	stream Stream
	once   sync.Once
	closed chan struct{}
}

func (o *remoteOutput) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

func (o *remoteOutput) Copy(sink func([]byte)) error {
	c := o.client
	ch := &channel{ready: make(chan struct{}, 1)}
	c.mu.Lock()
	if c.cause != nil {
		c.mu.Unlock()
		return c.cause
	}
	c.last++
	number := c.last
	c.channels[number] = ch
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.channels, number)
		c.mu.Unlock()
		_ = c.sendNumbers(frameStop, number) // fails with the connection, which ends the copy too
	}()
	if err := c.sendJSON(frameCopy, copyFrom{Channel: number, Run: o.run, Stream: o.stream}); err != nil {
		return asError(err)
	}
	for {
		select {
		case <-o.closed:
			return nil
		default:
		}
		f, ended := ch.take()
		switch {
		case f != nil:
			n := f.n
			sink(f.data[:n])
			frames.Put(f)
			if err := c.sendNumbers(frameTaken, number, uint64(n)); err != nil && !hungUp(err) {
				return asError(err)
			}
			continue
		case ended && ch.broken != nil:
			return ch.broken
		case ended:
			return nil
		}
		select {
		case <-ch.ready:
		case <-o.closed:
		case <-c.lost:
			if len(ch.ready) == 0 {
				return c.cause
			}
		}
	}
}
