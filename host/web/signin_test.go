package web

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

// browser keeps cookies as a browser does.
func browser(t *testing.T) *http.Client {
	t.Helper()
	c := plainClient()
	var err error
	if c.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNothingIsToldToStrangers(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	for _, name := range append([]string{"live", "nothing"}, asked...) {
		a := r.get(base+"/api/v1/"+name).want(t, name, 401)
		if !strings.HasPrefix(a.body, `{"error":{"message":"sign in first"`) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	for _, name := range acted {
		r.post(base+"/api/v1/"+name, "{}", with("X-Host-Action", "1")).want(t, name, 401)
	}
	for _, given := range []string{"Bearer wrong", "Bearer ", "Basic b3BzOm9wcw==", "Bearer " + readToken1 + "x"} {
		r.get(base+"/api/v1/status", with("Authorization", given)).want(t, given, 401)
	}
	if len(r.host.acts) > 0 {
		t.Errorf("done: %+v", r.host.acts)
	}
	if a := r.get(base+"/api/v1/session").want(t, "session", 200); !strings.Contains(a.body, `"user":"","role":"none","auth":true,"name":"orders-01"`) {
		t.Errorf("session: %s", a.body)
	}
}

func TestReaderMayNotAct(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	for name, status := range map[string]int{"status": 200, "events": 200, "logs": 200, "usage": 200, "graph": 200, "plan": 403} {
		r.get(base+"/api/v1/"+name, bearer(readToken1)).want(t, name, status)
	}
	for _, name := range []string{"act", "reload", "pause", "resume"} {
		r.post(base+"/api/v1/"+name, "{}", bearer(readToken1), with("X-Host-Action", "1")).want(t, name, 403)
		r.post(base+"/api/v1/"+name, "{}", bearer(actToken1), with("X-Host-Action", "1")).want(t, name+" by who may", 200)
	}
	r.get(base+"/api/v1/plan", bearer(actToken1)).want(t, "plan by who may", 200)
}

func TestOnlyWhatIsMeantForThePageIsServed(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	for _, path := range []string{"/api/v1/shutdown", "/api/v1/login", "/api/v1/metrics", "/api/v1/../../debug/pprof/", "/api/v1//debug/vars", "/debug/pprof/",
		"/debug/vars", "/v1/status", "/api/v2/status", "/api/status", "/api/v1/", "/api/v1/status/", "/api/v1/%2e%2e/%2e%2e/debug/vars"} {
		for _, method := range []string{"GET", "POST"} {
			if a := r.send(plainClient(), method, base+path, "{}", bearer(actToken1), with("X-Host-Action", "1")); a.status != 404 && a.status != 405 {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
			}
		}
	}
}

func TestLinkSignsInOnce(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	l, err := r.s.Link(`ops\li.wei`, control.Admin)
	if err != nil || !strings.HasPrefix(l.URL, base+"/login?once=") {
		t.Fatalf("%+v, %v", l, err)
	}
	r.send(plainClient(), "HEAD", l.URL, "").want(t, "a preview", 405)
	b := browser(t)
	a := r.send(b, "GET", l.URL, "").want(t, "login", 303)
	if a.header.Get("Location") != "/" {
		t.Errorf("leads to %q", a.header.Get("Location"))
	}
	r.send(plainClient(), "GET", l.URL, "").want(t, "the second use", 403)
	if a := r.send(b, "GET", base+"/api/v1/session", ""); !strings.Contains(a.body, `"user":"ops\\li.wei","role":"act"`) {
		t.Errorf("session: %s", a.body)
	}
	r.send(b, "POST", base+"/api/v1/act", `{"verb":"stop","names":["api"]}`, with("X-Host-Action", "1")).want(t, "act", 200)
	if len(r.host.acts) != 1 || r.host.acts[0].Actor != `ops\li.wei` {
		t.Errorf("done: %+v", r.host.acts)
	}
	if why := r.event(journal.OperatorAction); why != "signed in from 127.0.0.1" {
		t.Errorf("told: %s", why)
	}
	r.send(b, "POST", base+"/api/v1/signout", "").want(t, "signout", 200)
	r.send(b, "GET", base+"/api/v1/status", "").want(t, "after the signout", 401)
}

func TestLinkOfAReaderMayRead(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	l, err := r.s.Link("auditor", control.Read)
	if err != nil {
		t.Fatal(err)
	}
	b := browser(t)
	r.send(b, "GET", l.URL, "").want(t, "login", 303)
	r.send(b, "GET", base+"/api/v1/status", "").want(t, "status", 200)
	r.send(b, "POST", base+"/api/v1/act", "{}", with("X-Host-Action", "1")).want(t, "act", 403)
}

func TestLinkNeedsADashboard(t *testing.T) {
	r := newRig(t)
	if _, err := r.s.Link("ops", control.Act); err != ErrOff {
		t.Errorf("off: %v", err)
	}
	r.s.Apply(spec.HTTP{Listen: "0.0.0.0:0"})
	r.event(journal.Warning)
	if _, err := r.s.Link("ops", control.Act); err == nil || !strings.Contains(err.Error(), "host.http.tls") {
		t.Errorf("in trouble: %v", err)
	}
}

func TestSignInByTokenKeepsASession(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	b := browser(t)
	r.send(b, "POST", base+"/api/v1/signin", `{"token":"nonsense"}`).want(t, "a wrong token", 401)
	r.send(b, "POST", base+"/api/v1/signin", `{"token":""}`).want(t, "no token", 401)
	r.send(b, "POST", base+"/api/v1/signin", `{`).want(t, "no JSON", 400)
	a := r.send(b, "POST", base+"/api/v1/signin", `{"token":"`+actToken1+`"}`).want(t, "signin", 200)
	if !strings.Contains(a.body, `"user":"web:ops","role":"act"`) || strings.Contains(a.body, actToken1) {
		t.Errorf("answer: %s", a.body)
	}
	r.send(b, "GET", base+"/api/v1/plan", "").want(t, "plan", 200)
	u, _ := url.Parse(base)
	for _, c := range b.Jar.Cookies(u) {
		if strings.Contains(c.Value, actToken1) || len(c.Value) < 43 {
			t.Errorf("cookie %s", c)
		}
		for key := range r.s.sessions.all {
			if strings.Contains(string(key[:]), c.Value) {
				t.Error("the session is kept by its secret")
			}
		}
	}
}
