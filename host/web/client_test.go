package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answerOf is an answer that was read.
type answerOf struct {
	status int
	header http.Header
	body   string
	proto  string
}

type option func(*http.Request)

func bearer(token string) option {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func with(key, value string) option {
	return func(r *http.Request) {
		if key == "Host" {
			r.Host = value
		} else {
			r.Header.Set(key, value)
		}
	}
}

// plainClient keeps no cookies, follows no redirects and trusts every certificate.
func plainClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, DisableCompression: true, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

func (r *rig) send(c *http.Client, method, url, body string, options ...option) answerOf {
	r.t.Helper()
	a, err := trySend(r.t.Context(), c, method, url, body, options...)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func trySend(ctx context.Context, c *http.Client, method, url, body string, options ...option) (answerOf, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answerOf{}, err
	}
	for _, o := range options {
		o(req)
	}
	resp, err := c.Do(req)
	if err != nil {
		return answerOf{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answerOf{resp.StatusCode, resp.Header, string(b), resp.Proto}, err
}

func (r *rig) get(url string, options ...option) answerOf {
	r.t.Helper()
	return r.send(plainClient(), "GET", url, "", options...)
}

func (r *rig) post(url, body string, options ...option) answerOf {
	r.t.Helper()
	return r.send(plainClient(), "POST", url, body, options...)
}

// want fails when the answer has another status.
func (a answerOf) want(t *testing.T, what string, status int) answerOf {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: got %d, want %d: %s", what, a.status, status, a.body)
	}
	return a
}

// sse is one event of a stream.
type sse struct{ name, data string }

// watch reads server-sent events until the stream ends.
func (r *rig) watch(url string, options ...option) (<-chan sse, context.CancelFunc) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, o := range options {
		o(req)
	}
	c := plainClient()
	c.Timeout = 0
	resp, err := c.Do(req) //nolint:bodyclose // by the goroutine that reads it
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		r.t.Fatalf("%s: %s", url, resp.Status)
	}
	events := make(chan sse, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(events)
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		var e sse
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch key {
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					select {
					case events <- e:
					case <-ctx.Done():
						return
					}
				}
				e = sse{}
			}
		}
	}()
	stop := func() { cancel(); <-done }
	r.t.Cleanup(stop)
	return events, stop
}

// next waits for an event of a name and decodes it; those of other names are passed over.
func next[T any](t *testing.T, events <-chan sse, name string) (v T) {
	t.Helper()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before an event %q", name)
			}
			if e.name != name {
				continue
			}
			if err := json.Unmarshal([]byte(e.data), &v); err != nil {
				t.Fatal(err)
			}
			return v
		case <-time.After(20 * time.Second):
			t.Fatalf("no event %q", name)
		}
	}
}
