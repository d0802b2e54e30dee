package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"servicehost/host/control"
)

// sessionAnswer is who the page is used by.
type sessionAnswer struct {
	User    string `json:"user"`
	Role    string `json:"role"` // none, read, act
	Auth    bool   `json:"auth"` // a sign-in is needed
	Name    string `json:"name"`
	Version string `json:"version"`
}

// session tells who is signed in. Strangers from elsewhere learn nothing about the host.
func (h *handler) session(w http.ResponseWriter, r *http.Request) {
	id, err := h.whois(r)
	if err != nil {
		deny(w, err)
		return
	}
	writeJSON(w, h.describe(id))
}

func (h *handler) describe(id identity) sessionAnswer {
	a := sessionAnswer{User: id.user, Role: min(id.access, control.Act).String(), Auth: true}
	if h.listener.loopback || id.access >= control.Read {
		a.Name, a.Version = h.opt.Name(), h.opt.Version
	}
	return a
}

func (h *handler) signin(w http.ResponseWriter, r *http.Request) {
	content, ok := readBody(w, r, maxSmall)
	if !ok {
		return
	}
	var q struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(content, &q); err != nil {
		refuse(w, http.StatusBadRequest, "cannot read the request: "+err.Error(), "")
		return
	}
	t, err := h.tokenOf(r, q.Token)
	if err != nil {
		h.tellGuessing(r, err)
		deny(w, err)
		return
	}
	id := h.withToken(t.hash)
	h.begin(w, r, session{user: id.user, token: t.hash})
	writeJSON(w, h.describe(id))
}

// begin signs a browser in, in place of who was signed in there.
func (h *handler) begin(w http.ResponseWriter, r *http.Request, one session) {
	if c, err := r.Cookie(h.cookieName()); err == nil {
		h.sessions.drop(hashOf(c.Value))
	}
	secret := h.sessions.add(one, time.Now())
	http.SetCookie(w, h.cookie(r, secret, int(sessionMax/time.Second)))
	h.tell(one.user, "signed in", r.RemoteAddr)
}

// tellGuessing puts into the journal that somebody is kept out, once in a while.
func (h *handler) tellGuessing(r *http.Request, err error) {
	t, ok := errors.AsType[*throttled](err)
	if !ok {
		return
	}
	h.mu.Lock()
	due := time.Since(h.guessing) > time.Minute
	if due {
		h.guessing = time.Now()
	}
	h.mu.Unlock()
	if due {
		h.warn("sign-ins to the dashboard from %s are refused for %s: too many were wrong", origin(r.RemoteAddr).Addr(), t.wait.Round(time.Second))
	}
}

func (h *handler) signout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(h.cookieName()); err == nil {
		h.sessions.drop(hashOf(c.Value))
	}
	http.SetCookie(w, h.cookie(r, "", -1))
	writeJSON(w, struct{}{})
}

// login is the way in for who follows a link that host dashboard made. Links are not guessed, so wrong ones are
// not counted: the picture of any page could use up the guesses of its reader.
func (h *handler) login(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead { // who previews a link must not use it up
		refuse(w, http.StatusMethodNotAllowed, "/login wants GET", "")
		return
	}
	one, ok := h.links.take(r.URL.Query().Get("once"), time.Now())
	if !ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("This link was used already, or is older than a minute. Run host dashboard again.\n"))
		return
	}
	h.begin(w, r, session{user: one.user, access: one.access})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
