package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"servicehost/host/journal"
)

// Client asks one running host. Its methods mirror Host; what the host answers as an error is an
// *Error, a host that is gone an error that wraps ErrGone.
type Client struct {
	entry Entry
	http  *http.Client
}

// ErrGone says that the host ended, before or while it was asked.
var ErrGone = errors.New("the host is no longer running")

// maxAnswer bounds what a client reads as one answer; a status of many thousand services fits.
const maxAnswer = 256 << 20

// NewClient returns a client of the host that e tells about; it connects when it is asked something.
func NewClient(e Entry) *Client {
	return &Client{entry: e, http: &http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, e) },
		DisableCompression: true,
		MaxIdleConns:       1,
		IdleConnTimeout:    30 * time.Second,
	}}}
}

// Entry is the host that is asked.
func (c *Client) Entry() Entry { return c.entry }

// Close frees the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status is Host.Status.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, "GET", "/v1/status", nil)
}

// Plan is Host.Plan.
func (c *Client) Plan(ctx context.Context) (Plan, error) {
	return ask[Plan](ctx, c, "GET", "/v1/plan", nil)
}

// Reload is Host.Reload; the host knows the actor by itself.
func (c *Client) Reload(ctx context.Context, r ReloadRequest) (ReloadResult, error) {
	return ask[ReloadResult](ctx, c, "POST", "/v1/reload", r)
}

// Act is Host.Act; the host knows the actor by itself.
func (c *Client) Act(ctx context.Context, r ActRequest) (ActResult, error) {
	return ask[ActResult](ctx, c, "POST", "/v1/act", r)
}

// Pause is Host.Pause; the host knows the actor by itself.
func (c *Client) Pause(ctx context.Context, on bool) error {
	path := "/v1/resume"
	if on {
		path = "/v1/pause"
	}
	_, err := ask[struct{}](ctx, c, "POST", path, nil)
	return err
}

// Shutdown is Host.Shutdown; the host knows the actor by itself.
func (c *Client) Shutdown(ctx context.Context) error {
	_, err := ask[struct{}](ctx, c, "POST", "/v1/shutdown", nil)
	return err
}

// Events is Host.Events.
func (c *Client) Events(ctx context.Context, r EventsRequest, send func(journal.Event) error) error {
	v := url.Values{"service": r.Services}
	for _, k := range r.Kinds {
		v.Add("kind", string(k))
	}
	setMoment(v, "since", r.Since)
	setMoment(v, "until", r.Until)
	set(v, r.Last, r.Follow)
	return receive(ctx, c, "/v1/events?"+v.Encode(), send)
}

// Logs is Host.Logs.
func (c *Client) Logs(ctx context.Context, r LogsRequest, send func(LogLine) error) error {
	v := url.Values{"service": r.Services}
	if r.Grep != "" {
		v.Set("grep", r.Grep)
	}
	if r.Stream != "" {
		v.Set("stream", r.Stream)
	}
	if r.Raw {
		v.Set("raw", "true")
	}
	setMoment(v, "since", r.Since)
	setMoment(v, "until", r.Until)
	set(v, r.Last, r.Follow)
	return receive(ctx, c, "/v1/logs?"+v.Encode(), send)
}

func setMoment(v url.Values, key string, t time.Time) {
	if !t.IsZero() {
		v.Set(key, t.Format(time.RFC3339Nano))
	}
}

func set(v url.Values, last int, follow bool) {
	if last != 0 {
		v.Set("last", strconv.Itoa(last))
	}
	if follow {
		v.Set("follow", "true")
	}
}

func ask[T any](ctx context.Context, c *Client, method, path string, q any) (T, error) {
	var v T
	resp, err := c.send(ctx, method, path, q)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	text, err := whole(resp)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		return v, c.broken(ctx, err)
	}
	return v, nil
}

// whole reads an answer; how long it is stands before it.
func whole(resp *http.Response) ([]byte, error) {
	if resp.ContentLength < 0 || resp.ContentLength > maxAnswer {
		return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	}
	text := make([]byte, resp.ContentLength)
	_, err := io.ReadFull(resp.Body, text)
	return text, err
}

func receive[T any](ctx context.Context, c *Client, path string, send func(T) error) error {
	resp, err := c.send(ctx, "GET", path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	d := json.NewDecoder(resp.Body)
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return c.broken(ctx, err)
		}
		// Only an error's line begins with this key: neither events nor log lines have it.
		if bytes.HasPrefix(raw, []byte(`{"error":`)) {
			var b errorBody
			if json.Unmarshal(raw, &b) == nil && b.Error != nil {
				return b.Error
			}
		}
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("cannot read the host's answer: %w", err)
		}
		if err := send(v); err != nil {
			return err
		}
	}
}

// send returns the answer with its body open, when it is a good one.
func (c *Client) send(ctx context.Context, method, path string, q any) (*http.Response, error) {
	var content io.Reader
	if q != nil {
		data, err := json.Marshal(q)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://host"+path, content)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var b errorBody
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&b); err != nil || b.Error == nil {
		return nil, &Error{Status: resp.StatusCode, Message: "the host answered " + resp.Status}
	}
	b.Error.Status = resp.StatusCode
	return nil, b.Error
}

// broken says in words why no answer came.
func (c *Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &Error{Status: http.StatusGatewayTimeout,
				Message: fmt.Sprintf("host %q (pid %d) did not answer in time", c.entry.Name, c.entry.PID)}
		}
		return ctx.Err()
	}
	if errors.Is(err, fs.ErrPermission) {
		return &Error{Status: http.StatusForbidden, Hint: deniedHint,
			Message: fmt.Sprintf("access to host %q (pid %d) is denied", c.entry.Name, c.entry.PID)}
	}
	if !processAlive(c.entry.PID) || isGone(err) {
		return fmt.Errorf("%w (%q, pid %d)", ErrGone, c.entry.Name, c.entry.PID)
	}
	return fmt.Errorf("cannot talk to host %q (pid %d): %w", c.entry.Name, c.entry.PID, err)
}

// isGone reports whether an error is that of a channel whose other end has left.
func isGone(err error) bool {
	var op *net.OpError
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.As(err, &op) && op.Op == "dial"
}
