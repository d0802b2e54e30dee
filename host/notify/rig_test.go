package notify

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// memory is a Store that a test can look into.
type memory struct {
	mu     sync.Mutex
	values map[string]string
	puts   int
	bytes  int
	err    error
}

func (m *memory) Put(key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = string(text)
	m.puts++
	m.bytes += len(text)
	return m.err
}

func (m *memory) Get(key string, v any) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, ok := m.values[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal([]byte(text), v)
}

// copy is what a killed host leaves.
func (m *memory) copy() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.values)
}

func (m *memory) all() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(slices.Collect(maps.Values(m.values)), "\n")
}

func (m *memory) Delete(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

func (m *memory) Keys(prefix string) (keys []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(m.values)) {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	return keys
}

// receiver is a sender that a test plays.
type receiver struct {
	mu     sync.Mutex
	most_  int
	got    []Alert
	times  []time.Time
	tries  int
	answer func(try int) outcome // nil: taken
	hang   bool                  // until it is cut off
}

func (r *receiver) most() int     { return max(r.most_, 1) }
func (r *receiver) where() string { return "test://receiver/…" }

func (r *receiver) send(ctx context.Context, as []Alert) outcome {
	r.mu.Lock()
	r.tries++
	try, hang, answer := r.tries, r.hang, r.answer
	r.mu.Unlock()
	if hang {
		<-ctx.Done()
		return outcome{err: ctx.Err()}
	}
	var o outcome
	if answer != nil {
		o = answer(try)
	}
	if o.err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, as...)
		r.times = append(r.times, time.Now())
	}
	return o
}

func (r *receiver) set(answer func(int) outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// titles are what was received, in order.
func (r *receiver) titles() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []string{}
	for _, a := range r.got {
		out = append(out, a.Title)
	}
	return out
}

func (r *receiver) alerts() []Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

var errAway = errors.New("connection refused")

// rig is a hub with receivers that the test plays, on a journal of its own.
type rig struct {
	t         *testing.T
	dir       string
	journal   *journal.Journal
	store     *memory
	hub       *Hub
	mu        sync.Mutex
	receivers map[string]*receiver
	standing  map[string]Standing
	spec      SpecStanding
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, dir: t.TempDir(), store: &memory{values: map[string]string{}}, receivers: map[string]*receiver{}, standing: map[string]Standing{}}
	j, err := journal.Open(filepath.Join(r.dir, "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.journal = j
	r.open()
	t.Cleanup(func() {
		r.close(0)
		r.journal.Close()
	})
	return r
}

func (r *rig) options() Options {
	return Options{
		Host: "orders-01", Version: "1", Journal: r.journal, Store: r.store, Dir: filepath.Join(r.dir, "notify"),
		Standing: func(service string, _ int) Standing {
			r.mu.Lock()
			defer r.mu.Unlock()
			if s, ok := r.standing[service]; ok {
				return s
			}
			return Standing{Known: true, Well: true, Text: "running"}
		},
		SpecStanding: func() SpecStanding {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.spec
		},
		Tell: func(e journal.Event) { r.journal.Append(e) },
		dial: func(n spec.Notifier) sender { return r.receiver(n.Name) },
	}
}

func (r *rig) open() { r.hub = New(r.options()) }

// close ends the hub, with so much time for what waits.
func (r *rig) close(budget time.Duration) {
	if r.hub != nil {
		ctx, cancel := context.WithTimeout(context.Background(), budget)
		defer cancel()
		r.hub.Close(ctx)
		r.hub = nil
	}
}

func (r *rig) receiver(name string) *receiver {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.receivers[name] == nil {
		r.receivers[name] = &receiver{}
	}
	return r.receivers[name]
}

func (r *rig) stand(service string, s Standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.standing[service] = s
}

// told are the events of trouble in the journal.
func (r *rig) told() (out []string) {
	for _, e := range r.journal.Recent(1000) {
		if e.Kind == journal.NotifyTrouble || e.Kind == journal.NotifyOK {
			out = append(out, e.Reason)
		}
	}
	return out
}

// notified is an element of notify with everything told.
func notified(name string, group time.Duration) spec.Notifier {
	return spec.Notifier{Name: name, Webhook: &spec.WebhookURL{URL: "http://127.0.0.1:1/x"}, Template: spec.TemplateGeneric, Timeout: 10 * time.Second, Group: group,
		On: []spec.AlertEvent{"failed", "unhealthy", "rolled_back", "reload_rejected", "threshold", "recovered", "exited", "reload", "pending", "limit", "host_started", "host_stopped"}}
}

func of(service string, k journal.Kind, reason string) journal.Event {
	return journal.Event{Kind: k, Service: service, Instance: 1, ID: service, Reason: reason}
}

func state(service, to, reason string) journal.Event {
	e := of(service, journal.StateChanged, reason)
	e.To = to
	return e
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
