package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"servicehost/host/logs"
	"servicehost/spec"
)

// line makes the record that says a number.
func line(n int) logs.Record {
	return logs.Record{Time: time.Now(), Service: "api", Instance: 1, ID: "api", Stream: "stdout", Text: []byte(strconv.Itoa(n))}
}

func textRecord(text string) logs.Record {
	r := line(0)
	r.Text = []byte(text)
	return r
}

// memory is a transport into memory. Its answer is asked before anything is taken.
type memory struct {
	mu     sync.Mutex
	got    []string
	calls  []int // records of each
	times  []time.Time
	answer func(rs []record) *outcome // nil: all is taken
	block  chan struct{}              // sends wait until it is closed; nil: they don't
}

func (m *memory) send(ctx context.Context, rs []record) outcome {
	m.mu.Lock()
	block := m.block
	m.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return outcome{err: ctx.Err()}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, len(rs))
	m.times = append(m.times, time.Now())
	take := len(rs)
	var o outcome
	if m.answer != nil {
		if a := m.answer(rs); a != nil {
			o, take = *a, a.done-a.refused
		}
	} else {
		o = outcome{done: len(rs)}
	}
	if o.err == nil && o.done == 0 {
		o.done = len(rs)
		take = len(rs)
	}
	for _, r := range rs[:take] {
		m.got = append(m.got, string(r.text))
	}
	o.sent = bytesOf(rs[:take])
	return o
}

func (m *memory) owes() bool { return false }
func (m *memory) rest()      {}
func (m *memory) close()     {}

func (m *memory) set(f func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m)
}

func (m *memory) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.got...)
}

var errAway = errors.New("connection refused")

func away([]record) *outcome { return &outcome{err: errAway} }

// rig is one target over a transport into memory.
type rig struct {
	t      *testing.T
	m      *memory
	dir    string
	cfg    spec.LogTarget
	target *target
	mu     sync.Mutex
	events []Event
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, m: &memory{}, dir: filepath.Join(t.TempDir(), "spool"), cfg: spec.LogTarget{Type: spec.TargetJSON, URL: "tcp://x:1", Spool: 1 << 20, Timeout: time.Second}}
}

func (r *rig) start() {
	r.target = newTarget("one", r.cfg, &Options{Dir: r.dir, Host: "here", OnEvent: func(e Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, e)
	}}, nil)
	r.target.dial = func(peer) (transport, error) { return r.m, nil }
	go r.target.run()
}

func (r *rig) take(from, to int) {
	for n := from; n < to; n++ {
		r.target.in.Take(line(n))
	}
}

func (r *rig) end(wait time.Duration) {
	r.target.end(wait)
	<-r.target.done
}

// crash ends the goroutine the way a kill would: what is in memory only is gone. Only the files are looked at.
func (r *rig) crash() (other *rig) {
	other = newRig(r.t)
	other.cfg = r.cfg
	copyFolder(r.t, r.dir, other.dir)
	return other
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			copyFolder(t, filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *rig) told(kind string) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Event
	for _, e := range r.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// numbers wants exactly the numbers from..to, in order.
func numbers(t *testing.T, got []string, from, to int) {
	t.Helper()
	for n, s := range got {
		if s != strconv.Itoa(from+n) {
			t.Fatalf("record %d is %s, want %d; %d in all", n, s, from+n, len(got))
		}
	}
	if len(got) != to-from {
		t.Fatalf("%d records, want %d", len(got), to-from)
	}
}

// poll waits for a condition in real time.
func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

func filesOf(t *testing.T, dir, suffix string) []string {
	t.Helper()
	out, err := filepath.Glob(filepath.Join(dir, "one", "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func describe(s Stats) string {
	return fmt.Sprintf("sent %d, dropped %d, waiting %d, spooled %d", s.SentRecords, s.DroppedRecords, s.WaitingRecords, s.SpooledBytes)
}

// textsOf are the texts of JSON lines.
func textsOf(t *testing.T, body []byte) []string {
	t.Helper()
	var out []string
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		var v struct{ Line string }
		if err := d.Decode(&v); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, v.Line)
	}
}

// memory is how many bytes wait in the intake.
func (r *rig) memory() int {
	_, _, size := r.target.in.oldest()
	return size
}
