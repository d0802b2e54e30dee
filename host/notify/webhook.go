package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"servicehost/host/human"
	"servicehost/host/outbound"
	"servicehost/spec"
)

// template is the shape of the messages of a webhook.
type template interface {
	// body is the message. With a key it may be signed in the body.
	body(as []Alert, key string, now time.Time) ([]byte, error)
	// sign adds what is not in the body.
	sign(req *http.Request, body []byte, key string, now time.Time)
	// verdict judges the body of an answer that has a good status.
	verdict(answer []byte) outcome
	most() int
}

func templateOf(t spec.Template) template {
	switch t {
	case spec.TemplateSlack:
		return slack{}
	case spec.TemplateDingTalk:
		return dingTalk{}
	case spec.TemplateWeCom:
		return weCom{}
	case spec.TemplateFeishu:
		return feishu{}
	}
	return generic{}
}

// webhook sends by HTTP.
type webhook struct {
	spec.Notifier
	template
	agent  string
	secret func(context.Context, spec.Secret) (string, error)

	client *http.Client
	at     string // whom the client was made for
}

const (
	// redirectsMost is how often a message is sent on to another place of the same server.
	redirectsMost = 3
	// waitMost bounds what a receiver may ask for.
	waitMost = time.Hour
)

func (w *webhook) where() string {
	if w.Webhook.Secret != nil {
		return "an address that is a secret"
	}
	return shown(w.Webhook.URL)
}

// shown is an address without what may be secret in it.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an address that can't be read"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// secrets are what this message needs, read anew for each: they may have been replaced.
type secrets struct{ address, key, token string }

func (w *webhook) secrets(ctx context.Context) (s secrets, err error) {
	s.address = w.Webhook.URL
	for _, f := range []struct {
		from *spec.Secret
		to   *string
	}{{w.Webhook.Secret, &s.address}, {w.Secret, &s.key}, {w.Token, &s.token}} {
		if f.from == nil {
			continue
		}
		if *f.to, err = w.secret(ctx, *f.from); err != nil {
			return secrets{}, err
		}
	}
	return s, nil
}

func (w *webhook) send(ctx context.Context, as []Alert) outcome {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	s, err := w.secrets(ctx)
	if err != nil {
		return outcome{err: err}
	}
	u, err := url.Parse(strings.TrimSpace(s.address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return outcome{err: errors.New("what the secret holds is no http or https address")}
	}
	now := time.Now()
	body, err := w.body(as, s.key, now)
	if err != nil {
		return refused("cannot write the message: %w", err)
	}
	for range redirectsMost {
		next, o := w.post(ctx, u, body, as, s, now)
		if next == nil {
			return o
		}
		u = next
	}
	return refused("it sends on and on")
}

// post makes one request. It returns where else on the same server it is to be made, or what became of it.
func (w *webhook) post(ctx context.Context, u *url.URL, body []byte, as []Alert, s secrets, now time.Time) (*url.URL, outcome) {
	if err := w.connect(u); err != nil {
		return nil, outcome{err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, outcome{err: errors.New("cannot make a request to " + shown(u.String()))}
	}
	// With a GetBody, net/http would send it a second time by itself when a connection breaks.
	req.GetBody = nil
	req.Header.Set("User-Agent", w.agent)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Idempotency-Key", as[0].ID)
	for name, value := range w.Headers {
		if strings.EqualFold(name, "host") {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	if s.key != "" {
		w.sign(req, body, s.key, now)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.rest() // certificates may have been replaced: the next connection reads them again
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the address may be a secret
		}
		return nil, outcome{err: timedOut(ctx, err, w.Timeout)}
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // the status decides; a reason may be cut
	return w.judge(resp, answer, u, s)
}

func (w *webhook) judge(resp *http.Response, answer []byte, u *url.URL, s secrets) (*url.URL, outcome) {
	code := resp.StatusCode
	why := fmt.Sprintf("it answered %d %s", code, http.StatusText(code))
	if said := s.excerpt(answer, u); said != "" {
		why += ": " + said
	}
	switch {
	case code >= 200 && code < 300:
		o := w.verdict(answer)
		if o.err != nil {
			o.err = errors.New(s.excerpt([]byte(o.err.Error()), u))
		}
		return nil, o
	case code == http.StatusTemporaryRedirect || code == http.StatusPermanentRedirect:
		next, err := u.Parse(resp.Header.Get("Location"))
		if err == nil && next.Host == u.Host && next.Scheme == u.Scheme && next.User == nil {
			next.User = u.User
			return next, outcome{}
		}
		return nil, refused("it answered %d and sends to another server, which is not followed", code)
	case code >= 300 && code < 400:
		return nil, refused("it answered %d %s; only 307 and 308 to the same server are followed", code, http.StatusText(code))
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500 || code < 200:
		return nil, outcome{err: errors.New(why), wait: outbound.RetryAfter(resp.Header.Get("Retry-After"), time.Now(), waitMost)}
	}
	return nil, outcome{err: errors.New(why), final: true}
}

func (w *webhook) connect(u *url.URL) error {
	if at := u.Scheme + "://" + u.Host; w.client == nil || w.at != at {
		w.rest()
		tr := &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: 20 * time.Second,
			TLSHandshakeTimeout: w.Timeout, ResponseHeaderTimeout: w.Timeout,
		}
		if u.Scheme == "https" {
			c, err := outbound.TLS(w.TLS, u.Hostname())
			if err != nil {
				return err
			}
			tr.TLSClientConfig = c
		}
		w.at = at
		w.client = &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return nil
}

func (w *webhook) rest() {
	if w.client != nil {
		w.client.CloseIdleConnections()
		w.client = nil
	}
}

// excerpt is the first line of what a receiver said, without what must not be shown.
func (s secrets) excerpt(said []byte, u *url.URL) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	hidden := []string{s.address, s.key, s.token, u.RawQuery}
	for _, values := range u.Query() {
		hidden = append(hidden, values...)
	}
	if password, ok := u.User.Password(); ok {
		hidden = append(hidden, password, base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	if len(u.Path) > 8 {
		hidden = append(hidden, u.Path, u.EscapedPath(), u.Path[strings.LastIndexByte(u.Path, '/')+1:])
	}
	for _, h := range hidden {
		if len(h) > 4 {
			line = strings.ReplaceAll(line, h, "***")
		}
	}
	return clip(human.Plain(line), 200)
}
