package forward

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"servicehost/host/human"
	"servicehost/host/outbound"
	"servicehost/spec"
)

// web sends requests over HTTP.
type web struct {
	peer
	enc  encoder
	kind string // of the content
	path string // where the url has none

	client *http.Client
	auth   string // the header; empty until it was asked for
	proof  string // the secret in it, which must not be shown
	most   int    // records in a request: fewer after one was too large
	shrunk time.Time
	body   []byte
	packed bytes.Buffer
}

// growAfter is how long requests stay small after one was too large.
const growAfter = time.Minute

// packers hold compressors: each takes some hundred KiB, and is needed only while a request is made.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for an unknown level only
	return w
}}

func (t *web) owes() bool { return false }

func (t *web) rest() { t.body, t.packed = nil, bytes.Buffer{} }

func (t *web) close() {
	if t.client != nil {
		t.client.CloseIdleConnections()
		t.client = nil
	}
}

func (t *web) send(ctx context.Context, rs []record) (o outcome) {
	if t.most == 0 || t.most < chunkRecords && time.Since(t.shrunk) > growAfter {
		t.most = chunkRecords
	}
	for o.done < len(rs) {
		part := rs[o.done:min(len(rs), o.done+t.most)]
		a := t.post(ctx, part)
		switch {
		case a.err != nil:
			o.err, o.wait = a.err, a.wait
			return o
		case a.tooLarge && len(part) > 1:
			t.most, t.shrunk = (len(part)+1)/2, time.Now()
			continue
		case a.refused > 0:
			o.refused += min(a.refused, len(part))
			o.why = a.why
		}
		if a.refused < len(part) {
			o.sent += bytesOf(part)
		}
		o.done += len(part)
	}
	return o
}

// answer is what one request led to.
type answer struct {
	tooLarge bool
	refused  int
	why      string
	err      error
	wait     time.Duration
}

// post makes one request. A secret that was refused is read again, once: it may have been replaced.
func (t *web) post(ctx context.Context, rs []record) answer {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	t.body = t.enc.encode(t.body[:0], rs)
	body := t.body
	if t.Compress == spec.CompressGzip {
		body = t.pack(body)
	}
	known := t.auth != ""
	a, status := t.request(ctx, body, rs)
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		t.auth = ""
		if known {
			a, status = t.request(ctx, body, rs)
		}
		if status == http.StatusUnauthorized || status == http.StatusForbidden {
			t.auth = ""
		}
	}
	return a
}

func (t *web) pack(body []byte) []byte {
	t.packed.Reset()
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&t.packed)
	_, _ = w.Write(body) // into memory
	_ = w.Close()
	return t.packed.Bytes()
}

func (t *web) request(ctx context.Context, body []byte, rs []record) (a answer, status int) {
	resp, err := t.do(ctx, body)
	if err != nil {
		t.close() // certificates may have been replaced: the next connection reads them again
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // an address may hold a key
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", human.Duration(t.Timeout))
		}
		return answer{err: err}, 0
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what is missing of a reason is no reason to fail
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	why := fmt.Sprintf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	if said := t.excerpt(text); said != "" {
		why += ": " + said
	}
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		if p, ok := t.enc.(interface{ partial([]byte) (int, string) }); ok {
			a.refused, a.why = p.partial(text)
			a.why = t.excerpt([]byte(a.why))
		}
	case code == http.StatusRequestEntityTooLarge:
		a = answer{tooLarge: true, refused: len(rs), why: why}
	case later(code):
		a = answer{err: errors.New(why), wait: outbound.RetryAfter(resp.Header.Get("Retry-After"), time.Now(), maxWait)}
	default:
		a = answer{refused: len(rs), why: why}
	}
	return a, resp.StatusCode
}

// later reports whether a status says nothing about the records themselves: the target, the way to it or the
// proof of who we are has to be mended, and nothing is lost meanwhile.
func later(code int) bool {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
		http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return code < 400 || code >= 500
}

func (t *web) do(ctx context.Context, body []byte) (*http.Response, error) {
	if t.client == nil {
		if err := t.connect(); err != nil {
			return nil, err
		}
	}
	u := *t.url
	if u.Path == "" || u.Path == "/" {
		u.Path = t.path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", t.agent)
	req.Header.Set("Content-Type", t.kind)
	if t.Compress == spec.CompressGzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	for name, value := range t.Headers {
		if strings.EqualFold(name, "host") {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	if err := t.prove(ctx, req); err != nil {
		return nil, err
	}
	return t.client.Do(req)
}

// prove adds the token or the password, which is read when it is first needed.
func (t *web) prove(ctx context.Context, req *http.Request) error {
	from := cmp.Or(t.Token, t.Password)
	if from == nil {
		return nil
	}
	if t.auth == "" {
		value, err := t.secret(ctx, *from)
		if err != nil {
			return err
		}
		t.proof = value
		if t.Token != nil {
			t.auth = "Bearer " + value
		} else {
			req.SetBasicAuth(t.User, value)
			t.auth = req.Header.Get("Authorization")
		}
	}
	req.Header.Set("Authorization", t.auth)
	return nil
}

func (t *web) connect() error {
	tr := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: t.Timeout, ResponseHeaderTimeout: t.Timeout, DisableCompression: true,
	}
	if t.url.Scheme == "https" {
		c, err := outbound.TLS(t.TLS, t.url.Hostname())
		if err != nil {
			return err
		}
		tr.TLSClientConfig = c
	}
	t.client = &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // not to where nobody said that logs may go
	}}
	return nil
}

// excerpt is the first line of what a target said, without what proves who we are.
func (t *web) excerpt(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	_, sent, _ := strings.Cut(t.auth, " ")
	for _, secret := range []string{t.proof, sent} {
		if secret != "" {
			line = strings.ReplaceAll(line, secret, "***")
		}
	}
	line = strings.ToValidUTF8(human.Plain(line), "?")
	const most = 200
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}
