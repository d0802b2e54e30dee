package host

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/host/supervisor"
	"servicehost/host/usage"
	"servicehost/host/web"
	"servicehost/host/web/page"
	"servicehost/spec"
)

// newWeb makes the server of host.http, which serves nothing before it is told where. metrics may be nil.
func (h *Host) newWeb(metrics http.Handler) *web.Server {
	return web.New(web.Options{
		Host: h, Version: h.opt.Version, Page: page.Files, Metrics: metrics,
		Name: func() string {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.current.Host.Name
		},
		Status: h.statusFor,
		Subscribe: func(ctx context.Context, buffer int) <-chan journal.Event {
			return h.journal.Subscribe(ctx, buffer)
		},
		Publish: h.publish,
	})
}

// statusFor is Status, and without a measurement for who asks several times a second.
func (h *Host) statusFor(ctx context.Context, measured bool) (control.Status, error) {
	if measured {
		return h.Status(ctx)
	}
	return h.status(func(id string) usage.Sample {
		u, _ := h.usage.Latest(id)
		return u
	}), nil
}

// Login is `host dashboard`.
func (h *Host) Login(_ context.Context, r control.LoginRequest) (control.LoginAnswer, error) {
	l, err := h.web.Link(r.Actor, r.Access)
	switch {
	case errors.Is(err, web.ErrOff):
		return control.LoginAnswer{}, &control.Error{Status: http.StatusConflict, Message: err.Error(), Hint: "set host: {http: {listen: 127.0.0.1:9180}} in the spec; it is taken in without a restart"}
	case err != nil:
		return control.LoginAnswer{}, &control.Error{Status: http.StatusConflict, Message: err.Error(), Hint: "it is tried again until it works; host events tells when"}
	}
	return control.LoginAnswer{URL: l.URL, ExpiresAt: l.Expires}, nil
}

// Graph is `GET /v1/graph`.
func (h *Host) Graph(context.Context) (control.Graph, error) {
	byName := map[string][]*supervisor.Snapshot{}
	for _, p := range h.sup.Snapshots() {
		byName[p.Key.Service] = append(byName[p.Key.Service], p)
	}
	g := control.Graph{Nodes: []control.GraphNode{}, Edges: []control.GraphEdge{}}
	for name, all := range byName {
		shown := all[max(0, slices.IndexFunc(all, func(p *supervisor.Snapshot) bool { return !asDesired(p) }))]
		g.Nodes = append(g.Nodes, control.GraphNode{ID: name, State: string(shown.State), Health: string(shown.Health), AsDesired: asDesired(shown), Instances: len(all)})
		for to, d := range shown.Spec.DependsOn {
			if on := byName[to]; len(on) > 0 {
				g.Edges = append(g.Edges, control.GraphEdge{From: name, To: to, Condition: string(d.Condition), Required: d.Required, Met: met(on, d.Condition)})
			}
		}
	}
	slices.SortFunc(g.Nodes, func(a, b control.GraphNode) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(g.Edges, func(a, b control.GraphEdge) int {
		if c := strings.Compare(a.From, b.From); c != 0 {
			return c
		}
		return strings.Compare(a.To, b.To)
	})
	return g, nil
}

func met(all []*supervisor.Snapshot, c spec.Condition) bool {
	return !slices.ContainsFunc(all, func(p *supervisor.Snapshot) bool { return !p.Meets(c) })
}
