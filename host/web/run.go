package web

import (
	"fmt"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// run owns the listener: it opens the one that is wanted, and tries again where that fails.
func (s *Server) run() {
	defer close(s.done)
	var (
		open  *listener
		retry = time.NewTimer(time.Hour)
		wait  = firstRetry
		told  string
	)
	retry.Stop()
	defer retry.Stop()
	defer func() { s.set(nil, nil); open.end() }()
	for {
		var ended <-chan struct{}
		if open != nil {
			ended = open.done
		}
		select {
		case <-s.ctx.Done():
			return
		case <-s.changed:
			wait = firstRetry
		case <-ended:
			s.warn("host.http: serving on %s ended: %v", open.net.Addr(), open.err)
			s.set(nil, open.err)
			open.end()
			open, told = nil, "ended"
			retry.Reset(wait)
			continue
		case <-retry.C:
		}
		s.mu.Lock()
		c := s.conf
		s.mu.Unlock()
		if open != nil && open.serves(c) {
			continue
		}
		if open != nil {
			s.set(nil, nil)
			open.end()
			open = nil
		}
		retry.Stop()
		if c.Listen == "" {
			told = ""
			continue
		}
		l, err := s.listen(c)
		if err != nil {
			err = fmt.Errorf("cannot serve host.http on %s: %w", c.Listen, err)
			s.set(nil, err)
			if err.Error() != told {
				told = err.Error()
				s.warn("%s; it is tried again until it works", told)
			}
			retry.Reset(wait)
			wait = min(2*wait, lastRetry)
			continue
		}
		s.set(l, nil)
		open, wait = l, firstRetry
		after := ""
		if told != "" {
			after = ", at last"
		}
		told = ""
		s.opt.Publish(journal.Event{Kind: journal.Listening, Reason: l.base() + after})
	}
}

func (s *Server) set(l *listener, trouble error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.trouble = l, trouble
}

// serves reports whether c asks for nothing that needs another listener.
func (l *listener) serves(c spec.HTTP) bool {
	return l.conf.Listen == c.Listen && l.conf.TLS == c.TLS
}
