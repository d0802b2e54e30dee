package control

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// ReportRequest selects what is reported.
type ReportRequest struct {
	Names []string  // services or instance ids; empty: all
	Since time.Time // zero: 7 days
}

// ReportPeriod is how far back a report goes that nobody gave a time.
const ReportPeriod = 7 * 24 * time.Hour

// Report is how services did over a period; its fields are a contract.
type Report = journal.Report

// Report is Host.Report.
func (c *Client) Report(ctx context.Context, r ReportRequest) (Report, error) {
	v := url.Values{"name": r.Names}
	setMoment(v, "since", r.Since)
	return ask[Report](ctx, c, "GET", "/v1/report?"+v.Encode(), nil)
}

func report(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := r.URL.Query()
		since, err := back(v.Get("since"), time.Now())
		if err != nil {
			writeError(w, &Error{Status: http.StatusBadRequest, Message: "cannot read the request: " + err.Error(), Hint: "since is a time as RFC 3339, or how long ago: 7d"})
			return
		}
		found, err := s.config.Host.Report(r.Context(), ReportRequest{Names: v["name"], Since: since})
		answer(w, found, err)
	}
}

// back reads a moment, or how long before now it is; "" is none.
func back(text string, now time.Time) (time.Time, error) {
	if d, err := spec.ParseDuration(text); err == nil && text != "" {
		return now.Add(-d), nil
	}
	return moment(text)
}
