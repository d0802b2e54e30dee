package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/spec"
)

// Test sends a message to each of the named notifiers, or to all, once, beside what waits. It returns when all have
// answered or their time is over. A name that there is not is an *UnknownError.
func (h *Hub) Test(ctx context.Context, names []string, actor string) ([]TestResult, error) {
	h.mu.Lock()
	var chosen []spec.Notifier
	var have []string
	for _, n := range h.notifiers {
		have = append(have, n.name)
		if len(names) == 0 || slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, n.name) }) {
			chosen = append(chosen, n.wanted)
		}
	}
	h.mu.Unlock()
	for _, s := range names {
		if !slices.ContainsFunc(have, func(name string) bool { return strings.EqualFold(s, name) }) {
			return nil, &UnknownError{Name: s, Have: have}
		}
	}
	out := make([]TestResult, len(chosen))
	var all sync.WaitGroup
	for i, cfg := range chosen {
		all.Go(func() {
			began := time.Now()
			a := Alert{
				Alert: h.o.Host + "/" + string(EventTest), Host: h.o.Host, Event: EventTest, Status: Testing, Since: began, At: began, Count: 1, Total: 1,
				Reason: "an operator wants to know whether messages arrive", Actor: actor,
			}
			a.identify(cfg.Name, uint64(began.UnixNano()))
			a.Title = title(a)
			o := h.o.senders()(cfg).send(ctx, []Alert{a})
			if o.err == nil {
				h.nudge(cfg.Name)
			}
			out[i] = TestResult{Name: cfg.Name, Kind: kindOf(cfg), Err: o.err, Duration: time.Since(began)}
		})
	}
	all.Wait()
	return out, nil
}

// nudge has a notifier try at once again what waits: its receiver is well.
func (h *Hub) nudge(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.notifiers {
		if n.name == name && n.stats().State != StateOK {
			n.changeTo(n.wanted)
		}
	}
}

// UnknownError is a name that no notifier has.
type UnknownError struct {
	Name string
	Have []string
}

func (e *UnknownError) Error() string { return fmt.Sprintf("no notifier %q", e.Name) }
