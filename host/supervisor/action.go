package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/spec"
)

// tasks are the runs that are errands: each has one waiter.
type tasks struct {
	mu      sync.Mutex
	waiting map[process.RunID]chan process.Event
}

func (t *tasks) expect(id process.RunID) <-chan process.Event {
	c := make(chan process.Event, 1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = map[process.RunID]chan process.Event{}
	}
	t.waiting[id] = c
	return c
}

func (t *tasks) deliver(e process.Event) {
	if e.Kind != process.Gone {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.waiting[e.Run]; c != nil {
		delete(t.waiting, e.Run)
		c <- e
	}
}

func (t *tasks) forget(id process.RunID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, id)
}

// defaultActionTimeout is used where an action has none.
const defaultActionTimeout = 30 * time.Second

// act carries an action of the stop ladder out beside the instance. Where it fails, that is told and the
// next step is taken at once.
func (i *instance) act(a spec.Action, task string) {
	env, s, port, run, step := i.env, i.spec, i.run.port, i.run.id, i.ladder.step
	id := run
	id.Task = task
	failed := i.event(journal.Warning, "")
	env.spawn(func() {
		err := env.perform(a, s, port, id)
		if err == nil {
			return
		}
		told := &failed
		if failed.Reason = fmt.Sprintf("action %s of service %q failed: %v", describe(a, port), s.ID, err); a.IgnoreFailure {
			told = nil
		}
		if hungUp(err) {
			i.box.call(func(*instance) {
				if i.climbing(run, step) {
					i.awaitEnd(told)
				}
			})
			return
		}
		if told != nil {
			env.tell(failed)
		}
		i.box.call(func(*instance) {
			if i.climbing(run, step) {
				i.stepFailed()
			}
		})
	})
}

// describe names an action of a run that has the port.
func describe(a spec.Action, port int) string {
	if a.HTTP != "" {
		method, url, _ := strings.Cut(portIn(a.HTTP, port), " ")
		url, _, _ = strings.Cut(url, "?") // a query may hold a secret
		return method + " " + url
	}
	return portIn(a.Exec[0], port)
}

// perform does one action and waits for its end, at most its timeout.
func (e *environment) perform(a spec.Action, s *spec.Service, port int, id process.RunID) error {
	return e.performFor(context.Background(), a, s, port, id, nil, nil)
}

// performFor is perform with further variables, with a place for what the program writes, and until ctx ends.
func (e *environment) performFor(ctx context.Context, a spec.Action, s *spec.Service, port int, id process.RunID, vars []string, sink func([]byte)) error {
	timeout := a.Timeout
	if timeout <= 0 {
		timeout = defaultActionTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer context.AfterFunc(e.forced, cancel)()
	if e.forced.Err() != nil {
		return errForced
	}
	var err error
	if a.HTTP != "" {
		err = httpAction(ctx, portIn(a.HTTP, port))
	} else {
		err = e.execAction(ctx, a, s, port, id, timeout, vars, sink)
	}
	if err != nil && e.forced.Err() != nil {
		return errForced
	}
	return err
}

// hungUp reports whether the other end of a request closed the connection instead of answering, as a program does
// that is asked to end and ends at once.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errReset)
}

// errForced is the end of what runs beside services when the host is to end at once.
var errForced = errors.New("the host ends everything at once")

func httpAction(ctx context.Context, what string) error {
	method, url, ok := strings.Cut(what, " ")
	if !ok {
		method, url = http.MethodGet, what
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSpace(url), nil)
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The status decides; the body is read only so that the other end is not cut off while it writes.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode >= 400 {
		return fmt.Errorf("the answer was %s", resp.Status)
	}
	return nil
}

// execAction runs a program in the service's own environment, in a tree of its own that is ended at the timeout.
func (e *environment) execAction(ctx context.Context, a spec.Action, s *spec.Service, port int, id process.RunID, timeout time.Duration, more []string, sink func([]byte)) error {
	vars := append(environ(e, s, port), more...)
	argv := withPort(a.Exec, port)
	path, err := resolve(e, argv[0], s, vars)
	if err != nil {
		return err
	}
	err = e.runErrand(ctx, id, sink, runAs(e, s, port, process.Request{Path: path, Args: argv, Dir: s.Dir, Env: vars}))
	switch {
	case errors.Is(err, errStuck):
		return fmt.Errorf("not done after %s, and still there after it was killed", text(timeout))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("not done after %s", text(timeout))
	}
	return err
}

// tailBuffer keeps the end of an errand's output for its error message.
type tailBuffer struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tailBuffer) write(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p[max(0, len(p)-512):]...)
	t.buf = t.buf[max(0, len(t.buf)-512):]
}

// line is the last line that is not empty, with control characters taken out.
func (t *tailBuffer) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.buf)), "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, lines[len(lines)-1])
}

func joinLines(l []string) string { return strings.Join(l, "\n") }
