package metrics

import (
	"fmt"
	"io"
	"testing"
)

func thousand() Reading {
	r := Reading{Name: "bench", Spec: Spec{State: "applied"}}
	for n := range 1000 {
		r.Instances = append(r.Instances, busy(fmt.Sprint("service-", n), 1))
	}
	return r
}

// BenchmarkScrape is one of a thousand services, without what it costs to measure them.
func BenchmarkScrape(b *testing.B) {
	for name, accept := range map[string]string{"text": "", "openmetrics": "application/openmetrics-text"} {
		b.Run(name, func(b *testing.B) {
			all := thousand()
			c := New(Options{Read: func(r *Reading, _ bool) { *r = all }})
			w := &counted{}
			b.ReportAllocs()
			for b.Loop() {
				c.forget(c.last)
				if err := c.Write(w, accept); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(w.n)/float64(b.N), "bytes/scrape")
		})
	}
}

func BenchmarkObserve(b *testing.B) {
	c := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		feed(c, "api", 1, "backoff>starting")
	}
}

type counted struct{ n int }

func (c *counted) Write(p []byte) (int, error) {
	c.n += len(p)
	return io.Discard.Write(p)
}
