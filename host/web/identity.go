package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"servicehost/host/control"
)

// identity is who a request comes from. The zero value is nobody.
type identity struct {
	user   string // for the journal
	access control.Access
	still  func() bool // whether it would be let in again now
}

func nobody() bool { return false }

// throttled is the refusal of somebody who guessed too often.
type throttled struct{ wait time.Duration }

func (t *throttled) Error() string { return "too many wrong sign-ins from this address" }

// whois says who a request comes from: by the token that it carries, the session of its browser, or its
// certificate. A token that is wrong is an error, also beside a session that is right.
func (h *handler) whois(r *http.Request) (identity, error) {
	if given := r.Header.Get("Authorization"); given != "" {
		scheme, text, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return identity{}, &control.Error{Status: http.StatusUnauthorized, Message: "only Authorization: Bearer is known here"}
		}
		t, err := h.tokenOf(r, strings.TrimSpace(text))
		if err != nil {
			return identity{}, err
		}
		return h.withToken(t.hash), nil
	}
	if c, err := r.Cookie(h.cookieName()); err == nil {
		if id, ok := h.withSession(hashOf(c.Value)); ok {
			return id, nil
		}
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		name := r.TLS.PeerCertificates[0].Subject.CommonName
		if name == "" {
			name = r.TLS.PeerCertificates[0].SerialNumber.String()
		}
		return identity{user: "web:cert:" + name, access: control.Read, still: func() bool { return true }}, nil
	}
	return identity{still: nobody}, nil
}

// tokenOf finds the token with a text, unless too many were tried.
func (h *handler) tokenOf(r *http.Request, text string) (token, error) {
	from := origin(r.RemoteAddr)
	if wait := h.throttle.take(from, time.Now()); wait > 0 {
		return token{}, &throttled{wait}
	}
	if t, ok := h.tokens.find(hashOf(text)); ok && text != "" {
		h.throttle.giveBack(from)
		return t, nil
	}
	return token{}, &control.Error{Status: http.StatusUnauthorized, Message: "this token is not known",
		Hint: "it must be in the file of one of host.http.tokens; host dashboard signs in without one"}
}

func (h *handler) withToken(key hash) identity {
	t, ok := h.tokens.find(key)
	if !ok {
		return identity{still: nobody}
	}
	return identity{user: "web:" + t.Name, access: t.access(), still: func() bool {
		now, ok := h.tokens.find(key)
		return ok && now.access() >= t.access()
	}}
}

// withSession finds the session with a key. One by a token ends with it, and may do what it may do now.
func (h *handler) withSession(key hash) (identity, bool) {
	one, ok := h.sessions.use(key, time.Now())
	if !ok {
		return identity{}, false
	}
	if one.token == (hash{}) {
		return identity{user: one.user, access: one.access, still: func() bool {
			_, ok := h.sessions.use(key, time.Now())
			return ok
		}}, true
	}
	t, ok := h.tokens.find(one.token)
	if !ok {
		h.sessions.drop(key)
		return identity{}, false
	}
	return identity{user: "web:" + t.Name, access: t.access(), still: func() bool {
		now, ok := h.withSession(key)
		return ok && now.access >= t.access()
	}}, true
}

// cookieName has the port in it: browsers share cookies between the ports of a machine, and so would two hosts.
// Its prefix has them refuse one that was not set over TLS, by this very name.
func (h *handler) cookieName() string {
	name := "servicehost_" + strconv.Itoa(h.listener.port())
	if h.listener.certs != nil {
		return "__Host-" + name
	}
	return name
}

func (h *handler) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: h.cookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		// What a proxy on this machine says about its side may make the cookie stricter, never laxer.
		Secure: h.listener.certs != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	}
}
