package web

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// smallAnswer is a size below which compressing costs more than it saves.
const smallAnswer = 1400

var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return z
}}

// answer is a response that waits for no reader longer than a while, and is compressed where that helps.
type answer struct {
	http.ResponseWriter
	control *http.ResponseController
	wait    time.Duration // for its reader, with each write
	takes   bool          // gzip
	zip     *gzip.Writer
	decided bool
}

func newAnswer(w http.ResponseWriter, r *http.Request, wait time.Duration) *answer {
	return &answer{ResponseWriter: w, control: http.NewResponseController(w), wait: wait, takes: acceptsGzip(r) && r.Method != http.MethodHead}
}

// patient says whether there is nothing to be written now. With HTTP/2 a deadline that passes ends a stream where
// nobody writes, too: an answer may take long, and so may the time between two lines.
func (a *answer) patient(on bool) {
	var until time.Time
	if !on {
		until = time.Now().Add(a.wait)
	}
	_ = a.control.SetWriteDeadline(until)
}

func acceptsGzip(r *http.Request) bool {
	for one := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(one), ";")
		q = strings.ReplaceAll(q, " ", "")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") && q != "q=0" && q != "q=0.0" && q != "q=0.000" {
			return true
		}
	}
	return false
}

// Unwrap lets http.ResponseController through.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if !a.decided {
		a.decide(status, 0)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if !a.decided {
		a.decide(http.StatusOK, len(p))
	}
	a.patient(false)
	defer a.patient(true)
	if a.zip != nil {
		return a.zip.Write(p)
	}
	return a.ResponseWriter.Write(p)
}

// FlushError sends what was written.
func (a *answer) FlushError() error {
	a.decided = true
	a.patient(false)
	defer a.patient(true)
	if a.zip != nil {
		if err := a.zip.Flush(); err != nil {
			return err
		}
	}
	return a.control.Flush()
}

// decide looks whether to compress, at the first sign of the answer.
func (a *answer) decide(status, size int) {
	a.decided = true
	h := a.Header()
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil {
		size = n
	}
	if h.Get("Content-Type") != "application/json" || h.Get("Content-Encoding") != "" || status != http.StatusOK {
		return
	}
	h.Add("Vary", "Accept-Encoding")
	if !a.takes || size < smallAnswer {
		return
	}
	h.Del("Content-Length")
	h.Set("Content-Encoding", "gzip")
	a.zip = zippers.Get().(*gzip.Writer)
	a.zip.Reset(a.ResponseWriter)
}

// end finishes the answer. What is buffered is written when the handler has returned.
func (a *answer) end() {
	a.patient(false)
	if a.zip != nil {
		_ = a.zip.Close()
		a.zip.Reset(io.Discard)
		zippers.Put(a.zip)
		a.zip = nil
	}
}
