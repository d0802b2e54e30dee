package forward

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/host/logs"
	"servicehost/spec"
)

func benchRecord() logs.Record {
	return logs.Record{Time: time.Now(), Service: "api", Instance: 1, ID: "api", Stream: "stdout", Text: []byte(strings.Repeat("the quick brown fox ", 6))}
}

// BenchmarkTake is what a stream pays for each record.
func BenchmarkTake(b *testing.B) {
	b.Run("room", func(b *testing.B) {
		in := intake{wake: make(chan struct{}, 1)}
		r := benchRecord()
		b.SetBytes(int64(len(r.Text)))
		b.ReportAllocs()
		for b.Loop() {
			in.Take(r)
			if in.size > intakeBytes/4 {
				for {
					c, ok := in.take(time.Time{})
					if !ok {
						break
					}
					c.free()
				}
			}
		}
		if in.dropped.Load() > 0 {
			b.Error("something was dropped")
		}
	})
	b.Run("none", func(b *testing.B) {
		in := intake{wake: make(chan struct{}, 1)}
		r := benchRecord()
		for in.dropped.Load() == 0 {
			in.Take(r)
		}
		b.SetBytes(int64(len(r.Text)))
		b.ReportAllocs()
		for b.Loop() {
			in.Take(r)
		}
	})
}

// BenchmarkTarget is the whole way to a server on this machine, as fast as it goes without a loss.
func BenchmarkTarget(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer s.Close()
	for _, kind := range []spec.TargetType{spec.TargetOTLP, spec.TargetLoki, spec.TargetJSON} {
		b.Run(string(kind), func(b *testing.B) {
			h := New(Options{Dir: filepath.Join(b.TempDir(), "spool"), Host: "here"})
			h.Apply(map[string]spec.LogTarget{"one": {Type: kind, URL: s.URL, Compress: spec.CompressGzip, Timeout: 10 * time.Second}})
			sink := h.Sink("one")
			r := benchRecord()
			b.SetBytes(int64(len(r.Text)))
			b.ReportAllocs()
			n := int64(0)
			for b.Loop() {
				sink.Take(r)
				for n++; n%1024 == 0 && h.Stats()[0].SentRecords < n-8192; {
					time.Sleep(100 * time.Microsecond)
				}
			}
			ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
			defer cancel()
			h.Close(ctx)
			if s := h.Stats()[0]; s.SentRecords != n {
				b.Errorf("%d of %d were sent", s.SentRecords, n)
			}
		})
	}
}
