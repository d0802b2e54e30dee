package control

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestHandlerAnswersForCallersOfAnotherChannel(t *testing.T) {
	f := newFakeHost()
	h := Handler(f, nil)
	ask := func(c Caller, method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h(w, httptest.NewRequest(method, path, strings.NewReader(body)), c)
		return w
	}
	for _, tt := range []struct {
		access       Access
		method, path string
		status       int
	}{
		{Read, "GET", "/v1/status", 200},
		{Read, "GET", "/v1/graph", 200},
		{Read, "POST", "/v1/pause", 403},
		{Act, "POST", "/v1/pause", 200},
		{Act, "POST", "/v1/shutdown", 403},
		{None, "GET", "/v1/status", 403},
		{Admin, "GET", "/v1/nothing", 404},
	} {
		w := ask(Caller{"web:ops", tt.access}, tt.method, tt.path, "")
		if w.Code != tt.status {
			t.Errorf("%s %s with %s access: %d %s", tt.method, tt.path, tt.access, w.Code, w.Body)
		}
		if tt.status == http.StatusForbidden && !strings.Contains(w.Body.String(), "host dashboard") {
			t.Errorf("%s: the hint is that of the local channel: %s", tt.path, w.Body)
		}
	}
	if !slices.Equal(f.actors, []string{"web:ops"}) {
		t.Errorf("acted: %v", f.actors)
	}
	if w := ask(Caller{"web:ops", Act}, "POST", "/v1/act", `{"verb":"stop","names":["panic"]}`); w.Code != 500 {
		t.Errorf("a panic: %d", w.Code)
	}
}

func TestLoginIsForWhoAsks(t *testing.T) {
	f := newFakeHost()
	_, c := serve(t, testDir(t), f, Entry{})
	l, err := c.Login(t.Context())
	if err != nil || !strings.Contains(l.URL, "once=") {
		t.Fatalf("%+v, %v", l, err)
	}
	if len(f.actors) != 1 || !strings.HasPrefix(f.actors[0], "admin for ") || len(f.actors[0]) == len("admin for ") {
		t.Errorf("asked by %v", f.actors)
	}
	g, err := c.Graph(t.Context())
	if err != nil || len(g.Nodes) != 1 || g.Nodes[0].ID != "api" || g.Edges == nil {
		t.Errorf("%+v, %v", g, err)
	}
}
