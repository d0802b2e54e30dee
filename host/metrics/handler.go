package metrics

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// ServeHTTP answers a scrape. It is compressed for who asks for that from another machine: on this one it costs more
// than it saves.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := formatOf(r.Header.Get("Accept"))
	h := w.Header()
	h.Set("Content-Type", f.contentType())
	h.Add("Vary", "Accept, Accept-Encoding")
	if r.Method == http.MethodHead {
		return
	}
	if !takesGzip(r) {
		_ = c.write(w, f) // whoever asked has left
		return
	}
	h.Set("Content-Encoding", "gzip")
	z := zippers.Get().(*gzip.Writer)
	z.Reset(w)
	if c.write(z, f) == nil {
		_ = z.Close()
	}
	z.Reset(io.Discard)
	zippers.Put(z)
}

var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return z
}}

func takesGzip(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false // the control channel
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsLoopback() {
		return false
	}
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, weighed := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return !weighed || strings.Trim(q, " =.0") != "q"
		}
	}
	return false
}
