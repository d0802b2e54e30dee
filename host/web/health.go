package web

import (
	"fmt"
	"net/http"
	"strings"
)

// healthz says that the host lives.
func (h *handler) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz says whether every service is as desired, and which one is not. A rejected edit changes nothing about
// that: what ran goes on running.
func (h *handler) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	st, err := h.opt.Status(r.Context(), false)
	var b strings.Builder
	switch {
	case err != nil:
		fmt.Fprintln(&b, "the host does not answer")
	case st.Host.Stopping:
		fmt.Fprintln(&b, "the host is stopping")
	}
	for _, s := range st.Services {
		if s.AsDesired {
			continue
		}
		word := s.State
		if s.Health == "unhealthy" {
			word += ", unhealthy"
		}
		fmt.Fprintf(&b, "%s: %s\n", s.ID, word)
	}
	if b.Len() > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(b.String()))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	if h.opt.Metrics == nil {
		refuse(w, http.StatusNotFound, "this host has no /metrics", "")
		return
	}
	h.opt.Metrics.ServeHTTP(w, r)
}
