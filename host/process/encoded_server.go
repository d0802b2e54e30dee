package process

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// Server carries out the calls of other processes on one Backend. It keeps, from one connection to
// the next, the output that is not known to be handed out and the events that could not be sent. What
// the old connection lost on its way, the new one finds with List.
type Server struct {
	backend Backend

	mu     sync.Mutex
	spools map[spoolKey]*spool
	unsent []Event
	events chan struct{} // a token for the one connection that gets the events
}

type spoolKey struct {
	run    RunID
	stream Stream
}

// NewServer returns a Server for b. It takes the events of b while a connection is served.
func NewServer(b Backend) *Server {
	return &Server{backend: b, spools: map[spoolKey]*spool{}, events: make(chan struct{}, 1)}
}

// Serve serves one connection until it ends, closes it, and returns nil when the other end hung up.
func (s *Server) Serve(conn io.ReadWriteCloser) error {
	c := &served{Server: s, wire: newWire(conn), done: make(chan struct{}), copies: map[uint64]*copying{}}
	var busy sync.WaitGroup // what these can't send is lost with the connection, of which read hears too
	busy.Go(c.pushEvents)
	err := c.read(&busy)
	close(c.done)
	conn.Close()
	for _, k := range c.copies {
		k.stop()
	}
	busy.Wait()
	if hungUp(err) {
		return nil
	}
	return err
}

// served is one connection of a Server.
type served struct {
	*Server
	*wire
	done   chan struct{}
	copies map[uint64]*copying // by channel; only the reading goroutine uses it
}

func (c *served) read(busy *sync.WaitGroup) error {
	for {
		kind, n, err := c.next()
		if err != nil {
			return err
		}
		switch kind {
		case frameTaken:
			var channel, count uint64
			if err := c.readNumbers(n, &channel, &count); err != nil {
				return err
			}
			if k := c.copies[channel]; k != nil {
				k.spool.taken(count)
			}
			continue
		case frameStop:
			var channel uint64
			if err := c.readNumbers(n, &channel); err != nil {
				return err
			}
			if k := c.copies[channel]; k != nil {
				k.stop()
				delete(c.copies, channel)
			}
			continue
		}
		rest, err := c.readRest(n)
		if err != nil {
			return err
		}
		switch kind {
		case frameCall:
			var q call
			if err := json.Unmarshal(rest, &q); err != nil {
				return fmt.Errorf("cannot read a call: %w", err)
			}
			busy.Go(func() { _ = c.sendJSON(frameAnswer, c.answer(q)) })
		case frameCopy:
			var from copyFrom
			if err := json.Unmarshal(rest, &from); err != nil {
				return fmt.Errorf("cannot read a call: %w", err)
			}
			k := &copying{spool: c.spool(from.Run, from.Stream), stopped: make(chan struct{})}
			c.copies[from.Channel] = k
			busy.Go(func() {
				if end, told := k.run(c.wire, from.Channel); told {
					_ = c.sendJSON(frameEnd, end)
				}
			})
		default:
			return fmt.Errorf("a frame of type %d is no message", kind)
		}
	}
}

// answer carries out one call.
func (c *served) answer(q call) answer {
	a := answer{Number: q.Number}
	var err error
	switch q.Method {
	case callStart:
		if q.Request == nil {
			q.Request = &wireRequest{}
		}
		a.Identity, err = c.backend.Start(q.Run, q.Request.decode())
	case callStopStep:
		err = c.backend.StopStep(q.Run, q.Do)
	case callKillTree:
		err = c.backend.KillTree(q.Run)
	case callList:
		a.Runs = c.backend.List()
	case callAck:
		c.backend.Ack(q.Run)
		c.dropSpools(q.Run)
	case callUsage:
		a.Usage, err = c.backend.Usage(q.Run, q.Full)
	case callOutput:
		_, err = c.backend.OpenOutput(q.Run, q.Stream)
	case callClose:
		err = c.backend.Close()
	default:
		err = &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("no method %q here", q.Method)}
	}
	a.Error = asError(err)
	return a
}

// pushEvents sends every event, in order. One that could not be sent is the first of the next connection.
func (c *served) pushEvents() {
	select {
	case c.events <- struct{}{}:
		defer func() { <-c.events }()
	case <-c.done:
		return
	}
	for {
		c.Server.mu.Lock()
		backlog := c.unsent
		c.unsent = nil
		c.Server.mu.Unlock()
		if len(backlog) == 0 {
			select {
			case e := <-c.backend.Events():
				backlog = []Event{e}
			case <-c.done:
				return
			}
		}
		for i, e := range backlog {
			if c.sendJSON(frameEvent, e) != nil {
				c.Server.mu.Lock()
				c.unsent = backlog[i:]
				c.Server.mu.Unlock()
				return
			}
		}
	}
}

func (s *Server) spool(run RunID, stream Stream) *spool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := spoolKey{run, stream}
	p := s.spools[key]
	if p == nil {
		p = &spool{key: key, backend: s.backend, room: make(chan struct{}, 1)}
		s.spools[key] = p
	}
	return p
}

// dropSpools forgets the output of a run that the Backend has forgotten.
func (s *Server) dropSpools(run RunID) {
	for _, stream := range []Stream{Stdout, Stderr} {
		if _, err := s.backend.OpenOutput(run, stream); err != nil {
			s.mu.Lock()
			delete(s.spools, spoolKey{run, stream})
			s.mu.Unlock()
		}
	}
}
