package control

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// UsageRequest selects whose usage is told.
type UsageRequest struct {
	Names     []string // services or instance ids; empty: all
	NoHistory bool     // only what is used now
}

// UsageAnswer is what services use; its fields are a contract.
type UsageAnswer struct {
	Services []ServiceUsage `json:"services"` // never null
}

// ServiceUsage is what the tree of one instance uses. A number that the system does not tell is 0.
type ServiceUsage struct {
	ID              string     `json:"id"`
	At              *time.Time `json:"at"`           // null: nothing runs, or nothing is known
	CPUPercent      float64    `json:"cpu_percent"`  // since the former look; 100 = one core
	MemoryBytes     int64      `json:"memory_bytes"` // resident on Unix, private on Windows
	ResidentBytes   int64      `json:"resident_bytes"`
	PrivateBytes    int64      `json:"private_bytes"`     // of the tree alone
	PSSBytes        int64      `json:"pss_bytes"`         // what is shared divided by its users; Linux
	PeakMemoryBytes int64      `json:"peak_memory_bytes"` // of this run, as far as it was seen
	Handles         int        `json:"handles"`           // descriptors on Unix
	Threads         int        `json:"threads"`
	Processes       int        `json:"processes"`
	ReadBytes       int64      `json:"read_bytes"`  // of this run so far: from disks on Linux, by any handle on Windows
	WriteBytes      int64      `json:"write_bytes"` // likewise
	// Fine reaches back 5 minutes, as far as somebody looked, Coarse a day, over all runs. Nil where not asked for.
	Fine   *UsageSeries `json:"fine,omitempty"`
	Coarse *UsageSeries `json:"coarse,omitempty"`
}

// UsageSeries is a history, oldest first; moments of which nothing is known are missing.
type UsageSeries struct {
	StepMS int64        `json:"step_ms"`
	Points []UsagePoint `json:"points"` // never null
}

// UsagePoint is the beginning of a step in Unix milliseconds, its average of cpu_percent, and the most of memory_bytes.
type UsagePoint [3]float64

// Usage is Host.Usage.
func (c *Client) Usage(ctx context.Context, r UsageRequest) (UsageAnswer, error) {
	v := url.Values{"name": r.Names}
	if r.NoHistory {
		v.Set("history", "0")
	}
	return ask[UsageAnswer](ctx, c, "GET", "/v1/usage?"+v.Encode(), nil)
}

func usage(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := r.URL.Query()
		q := UsageRequest{Names: v["name"]}
		if h := v.Get("history"); h != "" {
			on, err := flag(h)
			if err != nil {
				writeError(w, &Error{Status: http.StatusBadRequest, Message: "cannot read the request: history: " + err.Error()})
				return
			}
			q.NoHistory = !on
		}
		u, err := s.config.Host.Usage(r.Context(), q)
		answer(w, u, err)
	}
}
