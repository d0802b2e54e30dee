package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"servicehost/spec"
)

// What one round costs, the server's part included, which is about as much again. 1000 services probed every ten
// seconds are 100 of them a second.
func BenchmarkRound(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	for name, a := range map[string]asker{
		"http": newHTTP(spec.Probe{HTTP: s.URL + "/ready"}, &tlsFiles{}),
		"tcp":  newTCP(l.Addr().String()),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx, cancel := context.WithTimeout(b.Context(), time.Second)
				if got := a.ask(ctx, time.Second); got.problem != "" {
					b.Fatal(got.problem)
				}
				cancel()
			}
		})
	}
	b.Run("http by http.Transport", func(b *testing.B) { // for comparison
		b.ReportAllocs()
		tr := &http.Transport{DisableKeepAlives: true}
		for b.Loop() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			req, _ := http.NewRequestWithContext(ctx, "GET", s.URL+"/ready", nil)
			res, err := tr.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			_ = res.Body.Close()
			cancel()
		}
	})
}

// What a line of output costs a service with a log probe, and one that has none.
func BenchmarkLine(b *testing.B) {
	set := NewSet(Options{})
	defer set.Close()
	line := []byte("2026-11-21T10:00:00Z INFO request served path=/orders/4711 status=200 took=1.7ms")
	for name, h := range map[string]*spec.Health{
		"none": {}, "startup": {Startup: &spec.Probe{Log: "listening on"}}, "heartbeat": {Liveness: &spec.Probe{Log: "INFO"}},
	} {
		b.Run(name, func(b *testing.B) {
			w := set.Watch(Run{}, h, func(Event) {})
			defer w.Stop()
			for b.Loop() {
				w.Line(line)
			}
		})
	}
}
