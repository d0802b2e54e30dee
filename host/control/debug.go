package control

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

func metrics(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.config.Host.Metrics().ServeHTTP(w, r) }
}

// vars is what package expvar tells of every program, and the host's own under "host". The package itself would
// register its page in each run of the executable.
func vars(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		all := struct {
			CommandLine []string         `json:"cmdline"`
			Memory      runtime.MemStats `json:"memstats"`
			Host        any              `json:"host"`
		}{CommandLine: os.Args, Host: s.config.Host.Vars()}
		runtime.ReadMemStats(&all.Memory)
		answer(w, &all, nil)
	}
}

// What goroutines wait for is recorded only while a profile of it is taken: it costs a little everywhere.
const (
	blockRate     = 10_000 // nanoseconds of waiting for one sample
	mutexFraction = 10     // one of so many
)

var (
	blockRecorder = recorder{begin: func() { runtime.SetBlockProfileRate(blockRate) }, end: func() { runtime.SetBlockProfileRate(0) }}
	mutexRecorder = recorder{begin: func() { runtime.SetMutexProfileFraction(mutexFraction) }, end: func() { runtime.SetMutexProfileFraction(0) }}
)

func blocking(w http.ResponseWriter, r *http.Request)   { blockRecorder.serve(w, r, "block") }
func contention(w http.ResponseWriter, r *http.Request) { mutexRecorder.serve(w, r, "mutex") }

// recorder is on while somebody takes a profile.
type recorder struct {
	mu         sync.Mutex
	users      int
	begin, end func()
}

func (p *recorder) serve(w http.ResponseWriter, r *http.Request, profile string) {
	p.use(1, p.begin)
	defer p.use(-1, p.end)
	pprof.Handler(profile).ServeHTTP(w, r)
}

func (p *recorder) use(n int, turn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	former := p.users
	p.users += n
	if former == 0 || p.users == 0 {
		turn()
	}
}

// Metrics writes to w what the host tells Prometheus, in the format of text.
func (c *Client) Metrics(ctx context.Context, w io.Writer) error {
	return c.download(ctx, "/v1/metrics", w)
}

// Profiles are the names that Client.Profile knows, and whether they are taken over a time.
var Profiles = map[string]bool{"heap": false, "goroutine": false, "allocs": false, "cpu": true, "block": true, "mutex": true, "trace": true}

// Profile writes to w a profile of the host itself, for go tool pprof, or for go tool trace. What is taken over a
// time is taken over d, in whole seconds.
func (c *Client) Profile(ctx context.Context, name string, d time.Duration, w io.Writer) error {
	timed, ok := Profiles[name]
	if !ok {
		return fmt.Errorf("there is no profile %q", name)
	}
	path := "/debug/pprof/" + name
	if name == "cpu" {
		path = "/debug/pprof/profile"
	}
	if timed {
		path += "?" + url.Values{"seconds": {strconv.Itoa(max(1, int(d.Seconds())))}}.Encode()
	}
	return c.download(ctx, path, w)
}

func (c *Client) download(ctx context.Context, path string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://host"+path, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.broken(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	body := &readErrors{Reader: resp.Body}
	if _, err = io.Copy(w, body); body.err != nil {
		return c.broken(ctx, body.err)
	}
	return err
}

// readErrors tells an error of reading from one of writing.
type readErrors struct {
	io.Reader
	err error
}

func (r *readErrors) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// refusal is the error in an answer that is not a good one. That of pprof is a line of text.
func refusal(resp *http.Response) error {
	line, _ := bufio.NewReader(io.LimitReader(resp.Body, 1<<20)).ReadString('\n')
	var b errorBody
	if json.Unmarshal([]byte(line), &b) == nil && b.Error != nil {
		b.Error.Status = resp.StatusCode
		return b.Error
	}
	e := &Error{Status: resp.StatusCode, Message: strings.TrimSpace(line)}
	if e.Message == "" {
		e.Message = "the host answered " + resp.Status
	}
	return e
}
