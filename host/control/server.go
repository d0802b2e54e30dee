package control

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config says whose control channel to open.
type Config struct {
	Host Host
	// Entry needs Name, Version, Files, StateDir and LogsDir; the rest is filled in.
	Entry Entry
	// Group may use the channel beside the owner and the administrator; empty: nobody else.
	Group string
	// Trouble is told what goes wrong beside any request; nil: nobody.
	Trouble func(error)
}

// Server is the control channel of one host.
type Server struct {
	config   Config
	policy   policy
	entry    Entry
	file     string // of the registration
	claim    *claim
	listener net.Listener
	http     *http.Server
	streams  context.CancelFunc
	done     chan struct{}
	once     sync.Once
}

// Listen claims the spec and opens the channel, so that a second host for it is refused with an
// *AlreadyRunningError; nothing is answered before Serve. Close must follow.
func Listen(c Config) (*Server, error) {
	if c.Trouble == nil {
		c.Trouble = func(error) {}
	}
	dir, err := runDir()
	if err != nil {
		return nil, err
	}
	return listenIn(dir, c)
}

func listenIn(dir string, c Config) (*Server, error) {
	s := &Server{config: c, entry: c.Entry, done: make(chan struct{})}
	s.entry.PID = os.Getpid()
	s.entry.Created = time.Now()
	s.entry.Files, s.entry.Resolved = nil, nil
	for _, f := range c.Entry.Files {
		s.entry.Files = append(s.entry.Files, absolute(f))
		s.entry.Resolved = append(s.entry.Resolved, Canonical(f))
	}
	id := identity(s.entry.Resolved)
	s.file = filepath.Join(dir, id+entrySuffix)

	sweep(dir)
	var err error
	if s.claim, err = take(dir, id); err != nil {
		if running, ok := errors.AsType[*AlreadyRunningError](err); ok {
			running.Files = s.entry.Files
		}
		return nil, err
	}
	// The same file reached through a link that leads elsewhere by now is the same spec.
	if err := refuseTwin(dir, s.entry); err != nil {
		s.claim.release()
		return nil, err
	}
	var warn error
	s.listener, s.entry.Address, s.policy, warn, err = listen(dir, id, c.Group)
	if err != nil {
		s.claim.release()
		return nil, err
	}
	if warn != nil {
		c.Trouble(warn)
	}
	return s, nil
}

func refuseTwin(dir string, e Entry) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	all, err := runningIn(ctx, []string{dir})
	if err != nil {
		return nil //nolint:nilerr // nobody can be found there, so nobody is a twin
	}
	for _, other := range all {
		if len(other.Files) == len(e.Files) && other.Runs(e.Files) {
			return &AlreadyRunningError{PID: other.PID, Files: other.Files}
		}
	}
	return nil
}

// Entry returns what the host registers as.
func (s *Server) Entry() Entry { return s.entry }

// Serve registers the host and answers from now on, in the background. It must be called at most once.
func (s *Server) Serve() error {
	if err := writeEntry(s.file, s.entry); err != nil {
		return fmt.Errorf("cannot register the host: %w", err)
	}
	base, cancel := context.WithCancel(context.Background())
	s.streams = cancel
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, &peerConn{Conn: c})
		},
		ErrorLog: log.New(troubleWriter(s.config.Trouble), "", 0),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(s.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.config.Trouble(fmt.Errorf("control channel ended: %w", err))
		}
	}()
	return nil
}

// Close takes the registration back, ends streams, gives running requests a moment to finish and
// frees everything. It may be called more than once.
func (s *Server) Close() error {
	s.once.Do(func() {
		forget(s.file, s.entry)
		if s.http == nil {
			_ = s.listener.Close()
		} else {
			s.streams()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if s.http.Shutdown(ctx) != nil {
				_ = s.http.Close()
			}
			<-s.done
		}
		s.claim.release()
	})
	return nil
}

type peerKey struct{}

// serve is in front of every handler: who is it, may they.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	conn, _ := r.Context().Value(peerKey{}).(*peerConn)
	if conn == nil {
		writeError(w, &Error{Status: http.StatusForbidden, Message: "cannot tell who is calling"})
		return
	}
	who, err := conn.who(s.policy)
	if err != nil {
		s.config.Trouble(err)
		writeError(w, &Error{Status: http.StatusForbidden, Message: err.Error()})
		return
	}
	s.serveFor(w, r, who)
}

type troubleWriter func(error)

func (t troubleWriter) Write(p []byte) (int, error) {
	t(errors.New(string(trimNewline(p))))
	return len(p), nil
}

func trimNewline(p []byte) []byte {
	for len(p) > 0 && p[len(p)-1] == '\n' {
		p = p[:len(p)-1]
	}
	return p
}
