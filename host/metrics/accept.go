package metrics

import (
	"mime"
	"strconv"
	"strings"
)

// format is one of those that Prometheus reads.
type format int

const (
	textFormat format = iota
	openMetrics
)

func (f format) contentType() string {
	if f == openMetrics {
		return "application/openmetrics-text; version=1.0.0; charset=utf-8"
	}
	return "text/plain; version=0.0.4; charset=utf-8"
}

// formatOf is the one that an Accept header likes best; text where it says nothing.
func formatOf(accept string) format {
	best, quality := textFormat, 0.0
	for wish := range strings.SplitSeq(accept, ",") {
		kind, params, err := mime.ParseMediaType(wish)
		if err != nil {
			continue
		}
		q := 1.0
		if v, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		f, known := textFormat, false
		switch kind {
		case "application/openmetrics-text":
			f, known = openMetrics, params["version"] == "" || params["version"] == "1.0.0"
		case "text/plain":
			known = params["version"] == "" || params["version"] == "0.0.4"
		case "*/*", "text/*":
			known = true
		}
		if known && q > quality {
			best, quality = f, q
		}
	}
	return best
}
