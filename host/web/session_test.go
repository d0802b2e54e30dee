package web

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

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
