// Package web is host.http: metrics, health and the dashboard, on loopback or beyond it, for browsers, scrapers and
// scripts. It says who may come in; what they get is the answer of the control channel, and the embedded page.
package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

// Options say what is served. Host, Page, Name, Subscribe and Publish are needed.
type Options struct {
	Host control.Host
	// Status is that of the host. Measured says whether to measure what the services use, or to take what is known of
	// it: so it is asked several times a second. Nil: Host.Status, which measures.
	Status func(ctx context.Context, measured bool) (control.Status, error)
	// Metrics answers /metrics; nil: nothing does.
	Metrics http.Handler
	// Page is the dashboard: index.html, and what it asks for below /assets/.
	Page    fs.FS
	Version string
	// Name is what the host is called.
	Name func() string
	// Subscribe is that of the journal.
	Subscribe func(ctx context.Context, buffer int) <-chan journal.Event
	// Publish puts an event into the journal. It is never called with a secret.
	Publish func(journal.Event)
}

// Server is host.http of one host. All methods may be called from any goroutine.
type Server struct {
	opt      Options
	ask      func(http.ResponseWriter, *http.Request, control.Caller)
	machine  string
	sessions *sessions
	links    *links
	tokens   *tokens
	throttle *throttle
	feed     *feed
	page     *page

	ctx      context.Context
	cancel   context.CancelFunc
	hurry    context.Context // ends a moment after ctx: what is being answered then is cut off
	cut      context.CancelFunc
	draining sync.WaitGroup
	// stillTime is how often it is asked whether the reader of a stream would be let in again.
	stillTime time.Duration
	// writeTime is how long one write may wait for its reader.
	writeTime time.Duration
	changed   chan struct{}
	done      chan struct{}

	mu      sync.Mutex
	conf    spec.HTTP
	started bool
	now     *listener // what is served on; nil: nothing
	trouble error     // why nothing is served, where something should be
	// guessing is when it was last told that somebody tries sign-ins.
	guessing time.Time
}

// New returns a server that serves nothing until Apply says where.
func New(o Options) *Server {
	if o.Status == nil {
		o.Status = func(ctx context.Context, _ bool) (control.Status, error) { return o.Host.Status(ctx) }
	}
	s := &Server{opt: o, stillTime: 5 * time.Second, writeTime: 30 * time.Second, changed: make(chan struct{}, 1), done: make(chan struct{})}
	s.ask = control.Handler(o.Host, func(err error) { s.warn("%v", err) })
	s.machine, _ = os.Hostname()
	s.sessions, s.links, s.throttle = newSessions(), newLinks(), newThrottle()
	s.tokens = newTokens(s.warn)
	s.page = newPage(o.Page)
	s.feed = newFeed(o)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.hurry, s.cut = context.WithCancel(context.Background())
	return s
}

// Apply makes c the settings, at once and without waiting: a changed address is listened on instead of the former
// one, changed tokens count from the next request on. A port that is taken is told and tried again.
func (s *Server) Apply(c spec.HTTP) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conf = c
	s.tokens.apply(c.Tokens)
	if !s.started {
		if c.Listen == "" || s.ctx.Err() != nil {
			return
		}
		s.started = true
		go s.run()
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Close ends everything that is served. It may be called more than once.
func (s *Server) Close() {
	s.cancel()
	defer time.AfterFunc(lastMoment, s.cut).Stop()
	s.mu.Lock()
	started := s.started
	s.mu.Unlock()
	if started {
		select {
		case <-s.done:
		case <-s.hurry.Done(): // it reads a certificate from a disk that hangs
			return
		}
	}
	s.draining.Wait()
	s.feed.close()
	s.cut()
}

// lastMoment is what requests get that are being answered when the host ends.
const lastMoment = time.Second

// Addr is where it listens; empty: nowhere.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return ""
	}
	return s.now.net.Addr().String()
}

// Link is a sign-in that works once.
type Link struct {
	URL     string
	Expires time.Time
}

// ErrOff says that host.http is not set.
var ErrOff = errors.New("host.http is not set, so there is no dashboard")

// Link makes a sign-in for somebody who is known, with what they may do.
func (s *Server) Link(user string, access control.Access) (Link, error) {
	s.mu.Lock()
	l, trouble, off := s.now, s.trouble, s.conf.Listen == ""
	s.mu.Unlock()
	switch {
	case off:
		return Link{}, ErrOff
	case l == nil && trouble != nil:
		return Link{}, trouble
	case l == nil:
		return Link{}, errors.New("the dashboard is just being opened")
	}
	secret, expires := s.links.add(user, min(access, control.Act), time.Now())
	return Link{URL: l.base() + "/login?once=" + secret, Expires: expires}, nil
}

func (s *Server) warn(format string, args ...any) {
	s.opt.Publish(journal.Event{Kind: journal.Warning, Reason: fmt.Sprintf(format, args...)})
}
