package web

import (
	"net/http"
	"strings"
	"testing"

	"servicehost/host/journal"
	"servicehost/spec"
)

func TestOnlyOwnNamesAreAnswered(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	port := base[strings.LastIndexByte(base, ':'):]
	for host, status := range map[string]int{
		"127.0.0.1" + port:            200,
		"localhost" + port:            200,
		"LOCALHOST.":                  200,
		"[::1]" + port:                200,
		"127.0.0.2":                   200,
		"localhost:8080":              200, // through a tunnel
		"evil.example":                421,
		"evil.example" + port:         421,
		"localhost.evil.example":      421,
		"127.0.0.1.evil.example":      421,
		"10.1.2.3":                    421,
		"127.0.0.1@evil.example":      421,
		r.s.machine + ".other" + port: 421,
	} {
		for _, path := range []string{"/", "/healthz", "/metrics", "/api/v1/session"} {
			a := r.get(base+path, with("Host", host))
			if a.status != status {
				t.Errorf("Host %s, %s: %d, want %d", host, path, a.status, status)
			}
		}
	}
}

func TestBeyondLoopbackTheMachineAndItsCertificateAreNames(t *testing.T) {
	r := newRig(t)
	base := r.serve(spec.HTTP{Listen: "0.0.0.0:0", TLS: r.certs("ops.example", "*.wild.example"), Tokens: r.tokens()})
	port := base[strings.LastIndexByte(base, ':'):]
	at := "https://127.0.0.1" + port
	for host, status := range map[string]int{
		r.s.machine:        200,
		"ops.example:444":  200,
		"a.wild.example":   200,
		"127.0.0.1":        200, // where the client connected to
		"localhost":        421,
		"evil.example":     421,
		"a.b.wild.example": 421,
		"10.1.2.3":         421,
	} {
		if a := r.get(at+"/healthz", with("Host", host), bearer(readToken1)); a.status != status {
			t.Errorf("Host %s: %d, want %d", host, a.status, status)
		}
	}
}

func TestOnlyOwnPagesMayChangeOrRead(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	own := with("Origin", base)
	tests := []struct {
		name    string
		options []option
		status  int
	}{
		{"no browser", nil, 200},
		{"our page", []option{own}, 200},
		{"our page, modern", []option{own, with("Sec-Fetch-Site", "same-origin")}, 200},
		{"another origin", []option{with("Origin", "http://evil.example")}, 403},
		{"another port of this machine", []option{with("Origin", "http://127.0.0.1:1")}, 403},
		{"another site", []option{with("Sec-Fetch-Site", "cross-site")}, 403},
		{"another port, modern", []option{own, with("Sec-Fetch-Site", "same-site")}, 403},
		{"a page of nowhere", []option{with("Origin", "null")}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &rig{t: t, s: r.s}
			act := append([]option{bearer(actToken1), with("X-Host-Action", "1")}, tt.options...)
			r.post(base+"/api/v1/act", `{"verb":"stop","names":["api"]}`, act...).want(t, "act", tt.status)
			r.get(base+"/api/v1/status", act...).want(t, "status", tt.status)
			r.post(base+"/api/v1/signin", `{"token":"`+actToken1+`"}`, tt.options...).want(t, "signin", tt.status)
		})
	}
}

func TestActionNeedsItsHeader(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	r.post(base+"/api/v1/act", `{"verb":"stop","names":["api"]}`, bearer(actToken1)).want(t, "without", 403)
	if len(r.host.acts) > 0 {
		t.Error("it was done without the header")
	}
	r.post(base+"/api/v1/act", `{"verb":"stop","names":["api"]}`, bearer(actToken1), with("X-Host-Action", "1")).want(t, "with", 200)
	if len(r.host.acts) != 1 || r.host.acts[0].Actor != "web:ops" {
		t.Errorf("done: %+v", r.host.acts)
	}
}

func TestEveryAnswerTellsBrowsersToBeStrict(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	for _, path := range []string{"/", "/assets/app.js", "/nothing", "/healthz", "/metrics", "/api/v1/session", "/api/v1/status", "/login?once=x"} {
		h := r.get(base + path).header
		for key, words := range map[string][]string{
			"Content-Security-Policy": {"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"},
			"X-Content-Type-Options":  {"nosniff"},
			"Referrer-Policy":         {"no-referrer"},
			"Cache-Control":           {"no-"},
		} {
			for _, w := range words {
				if !strings.Contains(h.Get(key), w) {
					t.Errorf("%s: %s is %q", path, key, h.Get(key))
				}
			}
		}
		if csp := h.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: %s", path, csp)
		}
		if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Server") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	if c := r.get(base + "/api/v1/session").header.Get("Cache-Control"); c != "no-store" {
		t.Errorf("answers of the API are kept: %s", c)
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	for _, m := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		r.send(plainClient(), m, base+"/api/v1/status", "", bearer(actToken1)).want(t, m, 405)
	}
	r.send(plainClient(), "HEAD", base+"/healthz", "").want(t, "HEAD", 200)
	r.send(plainClient(), "HEAD", base+"/api/v1/logs?follow=1", "", bearer(actToken1)).want(t, "HEAD of a stream", 405)
	r.get(base+"/api/v1/act", bearer(actToken1)).want(t, "GET of an action", 405)
	r.post(base+"/api/v1/status", "{}", bearer(actToken1)).want(t, "POST of a question", 405)
	r.post(base+"/healthz", "").want(t, "POST of health", 405)
}

func TestBeyondLoopbackNeedsTLSAndSignIn(t *testing.T) {
	r := newRig(t)
	for _, c := range []spec.HTTP{
		{Listen: "0.0.0.0:0", Tokens: r.tokens()},
		{Listen: "0.0.0.0:0", TLS: r.certs("ops.example")},
		{Listen: ":0", Tokens: r.tokens()},
	} {
		r.s.Apply(c)
		if why := r.event(journal.Warning); !strings.Contains(why, "beyond loopback") {
			t.Errorf("%+v: %s", c, why)
		}
		if r.s.Addr() != "" {
			t.Errorf("%+v is served", c)
		}
	}
	base := r.serve(spec.HTTP{Listen: "0.0.0.0:0", TLS: r.certs("ops.example"), Tokens: r.tokens()})
	at := "https://127.0.0.1" + base[strings.LastIndexByte(base, ':'):]
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/api/v1/status", "/api/v1/live"} {
		r.get(at+path).want(t, path, 401)
		if path != "/api/v1/live" {
			r.get(at+path, bearer(readToken1)).want(t, path+" with a token", 200)
		}
	}
	for _, path := range []string{"/", "/assets/app.js"} { // the way to the sign-in, the same for every host
		r.get(at+path).want(t, path, 200)
	}
	if a := r.get(at+"/api/v1/session").want(t, "session", 200); strings.Contains(a.body, "orders-01") || strings.Contains(a.body, "1.2.3") {
		t.Errorf("a stranger learns %s", a.body)
	}
	if a := r.get(at+"/api/v1/session", bearer(readToken1)); !strings.Contains(a.body, `"name":"orders-01"`) || !strings.Contains(a.body, "1.2.3") {
		t.Errorf("who is signed in learns %s", a.body)
	}
	if _, err := trySend(t.Context(), plainClient(), "GET", "http://"+at[len("https://"):]+"/", ""); err == nil {
		if a := r.get("http://" + at[len("https://"):] + "/"); a.status != http.StatusBadRequest {
			t.Errorf("without TLS: %d %s", a.status, a.body)
		}
	}
}
