package control

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
)

// Caller is somebody of whom another channel than the local one knows who it is.
type Caller struct {
	Name   string // for the journal
	Access Access
}

// Handler returns what answers the routes of the control channel, /v1/…, for such a caller: with the same types,
// limits and access levels. Trouble is told what goes wrong beside any request; nil: nobody.
func Handler(h Host, trouble func(error)) func(http.ResponseWriter, *http.Request, Caller) {
	if trouble == nil {
		trouble = func(error) {}
	}
	s := &Server{config: Config{Host: h, Trouble: trouble}}
	return func(w http.ResponseWriter, r *http.Request, c Caller) {
		s.serveFor(w, r, peer{access: c.Access, name: c.Name, denied: "sign in with a token of role act, or by host dashboard"})
	}
}

// WriteError answers with an error in the form that all channels have: {"error":{"message":"","hint":""}}.
func WriteError(w http.ResponseWriter, err error) { writeError(w, err) }

// serveFor answers for somebody who is known. No panic gets past it.
func (s *Server) serveFor(w http.ResponseWriter, r *http.Request, who peer) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			s.config.Trouble(fmt.Errorf("panic in %s: %v\n%s", r.URL.Path, p, debug.Stack()))
			writeError(w, &Error{Status: http.StatusInternalServerError, Message: "the host has a bug: see its log"})
		}
	}()
	route, missing := find(r.Method, r.URL.Path)
	if missing != nil {
		writeError(w, missing)
		return
	}
	if who.access < route.access {
		writeError(w, &Error{Status: http.StatusForbidden, Hint: cmp.Or(who.denied, deniedHint),
			Message: fmt.Sprintf("%s may not do this: it needs %s access to the host", who.name, route.access)})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	route.handler(s)(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
}

type callerKey struct{}

// caller is who asked.
func caller(r *http.Request) peer {
	who, _ := r.Context().Value(callerKey{}).(peer)
	return who
}

// actor is the name of who asked, for the journal.
func actor(r *http.Request) string { return caller(r).name }
