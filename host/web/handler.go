package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicehost/host/control"
)

const (
	maxBody  = 1 << 20
	maxSmall = 8 << 10 // before anybody is signed in
	// bodyTime is how long a request may take to say what it wants.
	bodyTime = 30 * time.Second
)

// handler answers on one listener.
type handler struct {
	*Server
	listener *listener
}

// asked and acted are what of the control channel can be had here, by GET and by POST.
var (
	asked = []string{"status", "plan", "events", "logs", "usage", "graph", "report"}
	acted = []string{"act", "reload", "pause", "resume", "notify/test"}
)

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := newAnswer(w, r, h.writeTime)
	defer a.end()
	w = a
	protect(w.Header())
	if !h.listener.named(r) {
		refuse(w, http.StatusMisdirectedRequest, "the page is not served under this name: "+strconv.Quote(r.Host),
			"use the address of host.http.listen, or a name of its certificate")
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		refuse(w, http.StatusMethodNotAllowed, "only GET and POST are known here", "")
		return
	}
	h.route(w, r)
}

func (h *handler) route(w http.ResponseWriter, r *http.Request) {
	get := r.Method != http.MethodPost
	path := r.URL.Path
	switch {
	case path == "/healthz" && get:
		h.open(w, r, h.healthz)
	case path == "/readyz" && get:
		h.open(w, r, h.readyz)
	case path == "/metrics" && get:
		h.open(w, r, h.metrics)
	case path == "/login" && get:
		h.login(w, r)
	case strings.HasPrefix(path, "/api/"):
		h.api(w, r, strings.TrimPrefix(path, "/api/v1/"), get)
	case get:
		h.page.serve(w, r)
	default:
		refuse(w, http.StatusMethodNotAllowed, path+" wants GET", "")
	}
}

// open answers on loopback whoever asks, and elsewhere who may read.
func (h *handler) open(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
	if !h.listener.loopback {
		id, err := h.whois(r)
		if err != nil || id.access < control.Read {
			deny(w, err)
			return
		}
	}
	answer(w, r)
}

func (h *handler) api(w http.ResponseWriter, r *http.Request, name string, get bool) {
	switch {
	case r.Method == http.MethodHead: // of a stream it would have no end
		refuse(w, http.StatusMethodNotAllowed, r.URL.Path+" wants GET or POST", "")
		return
	case !ownPage(r):
		refuse(w, http.StatusForbidden, "this request comes from another page", "")
		return
	case name == "session" && get:
		h.session(w, r)
		return
	case name == "signin" && !get:
		h.signin(w, r)
		return
	case name == "signout" && !get:
		h.signout(w, r)
		return
	}
	id, err := h.whois(r)
	if err != nil || id.access < control.Read {
		deny(w, err)
		return
	}
	switch {
	case name == "live" && get:
		h.live(w, r, id)
	case get && slices.Contains(asked, name):
		ctx, stop := h.stream(r, id)
		defer stop()
		h.forward(w, r.WithContext(ctx), name, id)
	case !get && slices.Contains(acted, name):
		h.act(w, r, name, id)
	case slices.Contains(asked, name), slices.Contains(acted, name):
		refuse(w, http.StatusMethodNotAllowed, r.URL.Path+" wants another method", "")
	default:
		refuse(w, http.StatusNotFound, "this host has no "+r.URL.Path, "")
	}
}

// act does what changes something: only for who says in a header, which no form of another page can set, that it
// is meant.
func (h *handler) act(w http.ResponseWriter, r *http.Request, name string, id identity) {
	if r.Header.Get("X-Host-Action") == "" {
		refuse(w, http.StatusForbidden, "the header X-Host-Action is missing", "send X-Host-Action: 1")
		return
	}
	content, ok := readBody(w, r, maxBody)
	if !ok {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(content))
	h.forward(w, r, name, id)
}

// forward has the control channel answer.
func (h *handler) forward(w http.ResponseWriter, r *http.Request, name string, id identity) {
	u := *r.URL
	u.Path, u.RawPath = "/v1/"+name, ""
	r = r.Clone(r.Context())
	r.URL = &u
	h.ask(w, r, control.Caller{Name: id.user, Access: id.access})
}

// stream is the context of an answer that may go on for long: it ends with the listener, and with what lets its
// reader in.
func (h *handler) stream(r *http.Request, id identity) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(h.listener.streams, cancel)
	if follow, _ := strconv.ParseBool(r.URL.Query().Get("follow")); follow {
		go func() {
			tick := time.NewTicker(h.stillTime)
			defer tick.Stop()
			for id.still() {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
			}
			cancel()
		}()
	}
	return ctx, func() { stop(); cancel() }
}
