package control

import (
	"net/http"
	"net/http/pprof"
	"strings"
)

// route is one thing that can be asked. A path that ends in a slash stands for all below it.
type route struct {
	path    string
	method  string
	access  Access
	handler func(*Server) http.HandlerFunc
}

// routes is everything the control channel answers.
var routes = []route{
	{"/v1/status", "GET", Read, query(Host.Status)},
	{"/v1/plan", "GET", Act, query(Host.Plan)}, // shows values of the spec
	{"/v1/events", "GET", Read, events},
	{"/v1/logs", "GET", Read, logs},
	{"/v1/usage", "GET", Read, usage},
	{"/v1/metrics", "GET", Read, metrics},
	{"/v1/report", "GET", Read, report},
	{"/v1/graph", "GET", Read, query(Host.Graph)},
	{"/v1/login", "POST", Act, login},
	{"/v1/reload", "POST", Act, command(func(q *ReloadRequest, by string) { q.Actor = by }, Host.Reload)},
	{"/v1/act", "POST", Act, command(func(q *ActRequest, by string) { q.Actor = by }, Host.Act)},
	{"/v1/pause", "POST", Act, pause(true)},
	{"/v1/resume", "POST", Act, pause(false)},
	{"/v1/notify/test", "POST", Act, command(func(q *NotifyTestRequest, by string) { q.Actor = by }, Host.NotifyTest)},
	{"/v1/shutdown", "POST", Admin, shutdown},
	{"/debug/vars", "GET", Admin, vars},
	{"/debug/pprof/", "GET", Admin, plain(pprof.Index)},
	{"/debug/pprof/block", "GET", Admin, plain(blocking)},
	{"/debug/pprof/mutex", "GET", Admin, plain(contention)},
	{"/debug/pprof/cmdline", "GET", Admin, plain(pprof.Cmdline)},
	{"/debug/pprof/profile", "GET", Admin, plain(pprof.Profile)},
	{"/debug/pprof/symbol", "GET", Admin, plain(pprof.Symbol)},
	{"/debug/pprof/trace", "GET", Admin, plain(pprof.Trace)},
}

// find returns the route of a request; the reason it has none is an *Error.
func find(method, path string) (route, *Error) {
	var best route
	var hit bool
	for _, r := range routes {
		if r.path == path || strings.HasSuffix(r.path, "/") && strings.HasPrefix(path, r.path) {
			if !hit || len(r.path) > len(best.path) {
				best, hit = r, true
			}
		}
	}
	switch {
	case !hit:
		return route{}, &Error{Status: http.StatusNotFound, Message: "this host has no " + path,
			Hint: "the running host may be older than this program; compare with host status"}
	case best.method != method:
		return route{}, &Error{Status: http.StatusMethodNotAllowed, Message: path + " wants " + best.method}
	default:
		return best, nil
	}
}

func plain(h http.HandlerFunc) func(*Server) http.HandlerFunc {
	return func(*Server) http.HandlerFunc { return h }
}
