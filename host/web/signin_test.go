package web

import (
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

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

func TestCookieIsForThisPageAlone(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	body := `{"token":"` + readToken1 + `"}`
	check := func(what string, a answerOf, prefix string, secure bool) {
		t.Helper()
		c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
		if err != nil {
			t.Fatalf("%s: %v in %v", what, err, a)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.Secure != secure || !strings.HasPrefix(c.Name, prefix) {
			t.Errorf("%s: %s", what, c)
		}
	}
	check("plain", r.post(base+"/api/v1/signin", body), "servicehost_", false)
	check("behind a proxy with TLS", r.post(base+"/api/v1/signin", body, with("X-Forwarded-Proto", "https")), "servicehost_", true)
	base = r.serve(spec.HTTP{Listen: "127.0.0.1:0", TLS: r.certs("localhost"), Tokens: r.tokens()})
	check("TLS", r.post(base+"/api/v1/signin", body), "__Host-servicehost_", true)
}

func TestSessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := spec.HTTP{Listen: "127.0.0.1:0", Tokens: r.tokens()}
	base := r.serve(c)
	b := browser(t)
	r.send(b, "POST", base+"/api/v1/signin", `{"token":"`+actToken1+`"}`).want(t, "signin", 200)
	r.send(b, "GET", base+"/api/v1/plan", "").want(t, "plan", 200)
	c.Tokens[1].Role = spec.RoleRead
	r.s.Apply(c)
	r.send(b, "GET", base+"/api/v1/plan", "").want(t, "plan, now a reader", 403)
	r.send(b, "GET", base+"/api/v1/status", "").want(t, "status", 200)
	r.file("act", "another-0123456789abcdef0123456")
	eventually(t, "the session to end with the text of its token", func() bool {
		return r.send(b, "GET", base+"/api/v1/status", "").status == 401
	})
	r.get(base+"/api/v1/status", bearer("another-0123456789abcdef0123456")).want(t, "the new token", 200)
	c.Tokens = c.Tokens[:1]
	r.s.Apply(c)
	r.get(base+"/api/v1/status", bearer("another-0123456789abcdef0123456")).want(t, "a token that was removed", 401)
}

func TestSessionsEndByThemselves(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newSessions()
	key := hashOf(s.add(session{user: "ops"}, began))
	now := began
	for range 12 { // used now and then, until its time is over
		if now = now.Add(sessionIdle - time.Second); now.Sub(began) > sessionMax {
			break
		}
		if _, ok := s.use(key, now); !ok {
			t.Fatalf("over after %s", now.Sub(began))
		}
	}
	if _, ok := s.use(key, began.Add(sessionMax+time.Second)); ok {
		t.Error("it goes on for ever")
	}
	key = hashOf(s.add(session{user: "ops"}, began))
	if _, ok := s.use(key, began.Add(sessionIdle+time.Second)); ok {
		t.Error("nobody used it, and it is good")
	}
	first := hashOf(s.add(session{user: "first"}, began))
	second := hashOf(s.add(session{user: "second"}, began.Add(time.Second)))
	for n := range maxSessions - 1 {
		s.add(session{}, began.Add(time.Duration(n+2)*time.Millisecond+time.Second))
	}
	if len(s.all) != maxSessions {
		t.Errorf("%d sessions", len(s.all))
	}
	if _, ok := s.use(first, began.Add(time.Minute)); ok {
		t.Error("the oldest did not make room")
	}
	if _, ok := s.use(second, began.Add(time.Minute)); !ok {
		t.Error("another than the oldest made room")
	}
}

func TestLinksAreFewAndShort(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := newLinks()
	old, until := l.add("ops", control.Act, began)
	if !until.Equal(began.Add(time.Minute)) {
		t.Errorf("good until %s", until)
	}
	if _, ok := l.take(old, until.Add(time.Second)); ok {
		t.Error("good after its time")
	}
	first, _ := l.add("ops", control.Act, began)
	for n := range maxLinks {
		l.add("ops", control.Act, began.Add(time.Duration(n+1)*time.Millisecond))
	}
	if _, ok := l.take(first, began); ok || len(l.all) > maxLinks {
		t.Errorf("%d links", len(l.all))
	}
	if _, ok := l.take("", began); ok {
		t.Error("nothing is a link")
	}
}

func TestGuessingIsSlowed(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	wrong := func() int { return r.post(base+"/api/v1/signin", `{"token":"wrong"}`).status }
	for n := range guesses {
		if status := wrong(); status != 401 {
			t.Fatalf("guess %d: %d", n, status)
		}
	}
	a := r.post(base+"/api/v1/signin", `{"token":"`+actToken1+`"}`).want(t, "one more", 429)
	if a.header.Get("Retry-After") == "" {
		t.Error("nobody says when to come again")
	}
	r.get(base+"/api/v1/status", bearer("wrong")).want(t, "as a bearer", 429)
	r.get(base+"/login?once=wrong").want(t, "a link, which is no guess", 403)
	if why := r.event(journal.Warning); !strings.Contains(why, "127.0.0.1") || !strings.Contains(why, "too many") {
		t.Errorf("told: %s", why)
	}
}

func TestRightTokensAreNoGuesses(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	for range 3 * guesses {
		r.get(base+"/api/v1/status", bearer(readToken1)).want(t, "status", 200)
	}
}

func TestThrottleCountsNetworksAndForgets(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	th := newThrottle()
	a, b, c := origin("[2001:db8::1]:5"), origin("[2001:db8::ffff]:6"), origin("[2001:db8:0:1::1]:5")
	if a != b || a == c || origin("[::ffff:10.0.0.1]:5") != origin("10.0.0.1:7") {
		t.Errorf("%s %s %s", a, b, c)
	}
	for range guesses {
		if th.take(a, now) > 0 {
			t.Fatal("too early")
		}
	}
	wait := th.take(b, now)
	if wait <= 0 || wait > guessTime {
		t.Errorf("wait %s", wait)
	}
	if th.take(c, now) > 0 {
		t.Error("another network is slowed")
	}
	if th.take(a, now.Add(wait)) > 0 || th.take(a, now.Add(wait)) == 0 {
		t.Error("not one guess came back")
	}
	ip := netip.MustParseAddr("10.0.0.0")
	for range 2 * maxGuesser {
		ip = ip.Next()
		th.take(netip.PrefixFrom(ip, 32), now.Add(wait))
	}
	if len(th.full) > maxGuesser {
		t.Errorf("%d are remembered", len(th.full))
	}
	if th.take(a, now.Add(wait)) == 0 {
		t.Error("many others had the worst forgotten")
	}
}

func TestTokenFilesAreLookedAt(t *testing.T) {
	r := newRig(t)
	tests := []struct {
		name, content string
		good          bool
		words         string
	}{
		{"fair", readToken1, true, ""},
		{"line", readToken1 + "\r\n", true, ""},
		{"marked", "\xEF\xBB\xBF" + readToken1, true, ""},
		{"utf16", "\xFF\xFEr\x00e\x00a\x00d\x00-\x000\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00a\x00b\x00c\x00d\x00e\x00f\x000\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00", true, ""},
		{"empty", "\n", false, "empty"},
		{"blank", " \n", false, "empty"},
		{"short", "1234567890", true, "can be guessed"},
		{"long", strings.Repeat("x", maxToken+1), false, "more than"},
		{"binary", "\xff\x00\x01\x02", false, "UTF-8"},
		{"gone", "", false, "cannot read"},
	}
	for _, tt := range tests {
		path := r.file(tt.name, tt.content)
		if tt.name == "gone" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		text, warning, err := readToken(path)
		if err != nil {
			warning = err.Error()
		}
		if (err == nil) != tt.good || !strings.Contains(warning, tt.words) || tt.words == "" && (warning != "" || text != readToken1) {
			t.Errorf("%s: %q, %q, %v", tt.name, text, warning, err)
		}
		if err != nil && tt.content != "" && strings.Contains(warning, tt.content) {
			t.Errorf("%s: the token is told: %s", tt.name, warning)
		}
	}
	r.s.Apply(spec.HTTP{Tokens: []spec.HTTPToken{{Name: "ops", Role: spec.RoleAct, File: r.dir + "/gone"}}})
	if why := r.event(journal.Warning); !strings.Contains(why, `token "ops": it lets nobody in`) {
		t.Errorf("told: %s", why)
	}
	path := r.file("vanishes", readToken1)
	r.s.Apply(spec.HTTP{Tokens: []spec.HTTPToken{{Name: "ops", Role: spec.RoleAct, File: path}}})
	if _, ok := r.s.tokens.find(hashOf(readToken1)); !ok {
		t.Error("a good token lets nobody in")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a file that is gone to let nobody in", func() bool {
		_, ok := r.s.tokens.find(hashOf(readToken1))
		return !ok
	})
}
