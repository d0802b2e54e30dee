package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

const (
	userAgent = "servicehost-probe"
	maxBody   = 64 << 10
	// maxAnswer bounds what is read in all, headers too.
	maxAnswer    = 4 * maxBody
	maxRedirects = 10
	maxInterim   = 5 // answers 1xx
)

// httpAsker sends a request. It speaks HTTP/1.1 on a connection of its own for each round, from one goroutine,
// which costs about half of what a http.Transport takes for it; the environment's proxies are nothing to it.
type httpAsker struct {
	spec  spec.Probe
	first *hop
	body  *regexp.Regexp
	files *tlsFiles
}

// hop is a request as it goes out, and where to.
type hop struct {
	url    *url.URL
	method string
	data   []byte
	d      *dialer
}

func newHTTP(p spec.Probe, files *tlsFiles) asker {
	u, err := url.Parse(p.HTTP)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return broken("it is no http or https address")
	}
	a := &httpAsker{spec: p, files: files}
	if p.Body != "" {
		if a.body, err = regexp.Compile(p.Body); err != nil {
			return broken("body: " + err.Error())
		}
	}
	if a.first, err = a.hop(cmp.Or(p.Method, http.MethodGet), u); err != nil {
		return broken(err.Error())
	}
	return a
}

// hop makes the request to an address.
func (a *httpAsker) hop(method string, u *url.URL) (*hop, error) {
	req, err := http.NewRequest(method, u.String(), nil)
	if err != nil {
		return nil, errors.New("no request can be made of it")
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "*/*")
	for k, v := range a.spec.Headers {
		if strings.EqualFold(k, "Host") {
			req.Host = v
			continue
		}
		req.Header.Set(k, v)
	}
	if user := u.User; user != nil && req.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	req.Close = true
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		return nil, errors.New("no request can be made of it")
	}
	port, err := strconv.ParseUint(cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]), 10, 16)
	if err != nil || port == 0 {
		return nil, errors.New("its port is none")
	}
	return &hop{u, method, bytes.Clone(b.Bytes()), newDialer(u.Hostname(), uint16(port))}, nil
}

func (a *httpAsker) ask(ctx context.Context, timeout time.Duration) answer {
	h := a.first
	for range maxRedirects + 1 {
		got, bad := a.exchange(ctx, timeout, h)
		if bad.problem != "" {
			return bad
		}
		next, elsewhere := a.redirect(h, got)
		if next == nil {
			return a.verdict(got, elsewhere)
		}
		var err error
		if h, err = a.hop(next.method, next.url); err != nil {
			return failed("redirected to " + shownURL(next.url.String()) + ": " + err.Error())
		}
	}
	return failed(fmt.Sprintf("redirected more than %d times", maxRedirects))
}

type redirection struct {
	method string
	url    *url.URL
}

// redirect says where to go on, nil for nowhere: a status that the spec names is the answer, and so is one that
// leads to another host, whose health is not what was asked.
func (a *httpAsker) redirect(h *hop, got reply) (next *redirection, elsewhere string) {
	switch got.status {
	case 301, 302, 303, 307, 308:
	default:
		return nil, ""
	}
	if len(a.spec.Status) > 0 && inRanges(a.spec.Status, got.status) {
		return nil, ""
	}
	if got.location == "" {
		return nil, ""
	}
	u, err := h.url.Parse(got.location)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.EqualFold(u.Hostname(), h.url.Hostname()) {
		return nil, human.Plain(shownURL(got.location))
	}
	method := h.method
	if got.status < 307 && method != http.MethodHead {
		method = http.MethodGet
	}
	return &redirection{method, u}, ""
}

var defaultStatus = []spec.StatusRange{{From: 200, To: 399}}

func inRanges(ranges []spec.StatusRange, code int) bool {
	for _, r := range ranges {
		if r.From <= code && code <= r.To {
			return true
		}
	}
	return false
}

func rangesText(ranges []spec.StatusRange) string {
	var b strings.Builder
	for n, r := range ranges {
		if n > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, r.From)
		if r.To != r.From {
			fmt.Fprintf(&b, "-%d", r.To)
		}
	}
	return b.String()
}

func (a *httpAsker) verdict(got reply, elsewhere string) answer {
	code := got.status
	want := a.spec.Status
	if len(want) == 0 {
		want = defaultStatus
	}
	var to string
	if elsewhere != "" {
		to = " (to " + elsewhere + ", which is not asked)"
	}
	if !inRanges(want, code) {
		return failed(fmt.Sprintf("status %d%s, wanted %s", code, to, rangesText(want)))
	}
	if a.body != nil && !a.body.Match(got.body) {
		return failed(fmt.Sprintf("status %d%s, but the body does not match %q", code, to, a.spec.Body))
	}
	if elsewhere != "" {
		return answer{warning: fmt.Sprintf("status %d%s", code, to)}
	}
	return answer{}
}

var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// reply is what matters of an answer.
type reply struct {
	status   int
	location string
	body     []byte // read only where something is to be found in it
}

// exchange sends one request and reads the answer; bad has a problem where there is none.
func (a *httpAsker) exchange(ctx context.Context, timeout time.Duration, h *hop) (got reply, bad answer) {
	conn, err := h.d.dial(ctx)
	if err != nil {
		return got, netAnswer(err, "no connection", timeout)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	plain := conn
	stop := context.AfterFunc(ctx, func() { _ = plain.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if h.url.Scheme == "https" {
		config, err := a.files.config(a.spec.TLS, h.url.Hostname())
		if err != nil {
			return got, failed(err.Error())
		}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return got, tlsAnswer(err, timeout)
		}
		conn = secured
	}
	// A server may answer, and close, before it has read the request.
	_, sent := conn.Write(h.data)
	in := &input{conn: conn, left: maxAnswer}
	r := readers.Get().(*bufio.Reader)
	r.Reset(in)
	defer func() {
		r.Reset(nil)
		readers.Put(r)
	}()
	var res *http.Response
	for range maxInterim + 1 {
		if res, err = http.ReadResponse(r, &http.Request{Method: h.method}); err != nil {
			return got, httpAnswer(cmp.Or(in.err, sent, err), timeout)
		}
		if res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols {
			break
		}
		_ = res.Body.Close()
	}
	defer res.Body.Close()
	got = reply{status: res.StatusCode, location: res.Header.Get("Location")}
	// Read to its end, so that the other side is not cut off while it writes. What can't be had of it matters
	// only where something is to be found in it.
	if a.body == nil {
		_, _ = io.CopyN(io.Discard, res.Body, maxBody)
		return got, answer{}
	}
	got.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil && !a.body.Match(got.body) {
		return got, httpAnswer(err, timeout)
	}
	return got, answer{}
}

// input bounds what is read, and keeps the error that the parser of the headers makes another one of.
type input struct {
	conn net.Conn
	left int
	err  error
}

var errTooLong = errors.New("its headers are too long")

func (i *input) Read(p []byte) (int, error) {
	if i.left <= 0 {
		i.err = errTooLong
		return 0, i.err
	}
	n, err := i.conn.Read(p[:min(len(p), i.left)])
	i.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		i.err = err
	}
	return n, err
}

func httpAnswer(err error, timeout time.Duration) answer {
	ans := netAnswer(err, "no answer", timeout)
	if strings.Contains(ans.problem, "malformed") {
		ans.problem = "what answers speaks no HTTP: " + clip(human.Plain(ans.problem), 200)
	}
	ans.nobody = false // it was there
	return ans
}
