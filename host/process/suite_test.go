package process_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/process"
)

// The same cases run over the Backend itself and over one at the other end of a connection.

func TestBackendInProcess(t *testing.T) {
	runSuite(t, func(t *testing.T) process.Backend { return newBackend(t) })
}

func TestBackendEncoded(t *testing.T) {
	runSuite(t, func(t *testing.T) process.Backend {
		held := newBackend(t)
		near, far := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- process.Serve(far, held) }()
		t.Cleanup(func() {
			near.Close()
			if err := <-served; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
		b, err := process.Dial(near)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func newBackend(t *testing.T) process.Backend {
	t.Helper()
	b, err := process.New(process.Options{Subreaper: true, Warn: func(s string) { t.Log("warning:", s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

type suiteCase struct {
	name string
	run  func(*testing.T, *stage)
}

func runSuite(t *testing.T, open func(*testing.T) process.Backend) {
	for _, c := range slices.Concat(startCases, treeCases, stopCases, outputCases, loadCases, usageCases) {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, open(t))
			c.run(t, s)
			if !t.Failed() {
				s.checkEvents()
			}
		})
	}
}

// patience is how long a test waits for what must come. It is for hopelessly slow machines only.
const patience = 60 * time.Second

// stage is a backend on which a test plays, with all events so far.
type stage struct {
	process.Backend
	t    *testing.T
	last uint64

	mu     sync.Mutex
	events []process.Event
	wake   chan struct{} // closed and replaced at each event
}

func newStage(t *testing.T, b process.Backend) *stage {
	s := &stage{Backend: b, t: t, wake: make(chan struct{})}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case e := <-b.Events():
				s.mu.Lock()
				s.events = append(s.events, e)
				close(s.wake)
				s.wake = make(chan struct{})
				s.mu.Unlock()
			case <-done:
				return
			}
		}
	})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		close(done)
		wg.Wait()
	})
	return s
}

// part returns a request for a part of helpers_test.go.
func part(name string, args ...string) process.Request {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return process.Request{
		Path: exe, Args: append([]string{exe}, args...), Dir: os.TempDir(),
		// The race detector would hold up the end of every child for a second.
		Env: append(os.Environ(), helperVar+"="+name, "GORACE=atexit_sleep_ms=0"),
	}
}

// name makes a RunID that no other run of the stage has.
func (s *stage) name() process.RunID {
	s.last++
	return process.RunID{Service: "web", Instance: 1, Incarnation: s.last}
}

func (s *stage) start(r process.Request) (process.RunID, process.Identity) {
	s.t.Helper()
	id := s.name()
	ident, err := s.Start(id, r)
	if err != nil {
		s.t.Fatalf("Start: %v", err)
	}
	if ident.PID <= 0 || ident.Created == 0 {
		s.t.Errorf("Start: identity %+v", ident)
	}
	return id, ident
}

func (s *stage) find(id process.RunID, kind process.EventKind) (process.Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Run == id && e.Kind == kind {
			return e, true
		}
	}
	return process.Event{}, false
}

// await waits for an event of a run.
func (s *stage) await(id process.RunID, kind process.EventKind) process.Event {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		wake := s.wake
		s.mu.Unlock()
		if e, ok := s.find(id, kind); ok {
			return e
		}
		select {
		case <-wake:
		case <-deadline:
			s.t.Fatalf("no event %q of %v", kind, id)
		}
	}
}

// checkEvents checks, after a test, that every run has ended in the right order and once.
func (s *stage) checkEvents() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[process.RunID][]process.EventKind{}
	for _, e := range s.events {
		seen[e.Run] = append(seen[e.Run], e.Kind)
		if e.Exit.At.IsZero() {
			s.t.Errorf("event without a time: %+v", e)
		}
	}
	for id, kinds := range seen {
		want := []process.EventKind{process.Exited, process.Gone}
		if !slices.Equal(kinds, want[:min(len(kinds), 2)]) {
			s.t.Errorf("events of %v: %v", id, kinds)
		}
	}
}

// transcript is what arrived on one stream.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
	wake chan struct{}
	done chan error // the result of Copy
	out  process.Output
}

func (s *stage) read(id process.RunID, stream process.Stream) *transcript {
	s.t.Helper()
	out, err := s.OpenOutput(id, stream)
	if err != nil {
		s.t.Fatalf("OpenOutput: %v", err)
	}
	r := &transcript{wake: make(chan struct{}, 1), done: make(chan error, 1), out: out}
	go func() {
		r.done <- out.Copy(func(p []byte) {
			r.mu.Lock()
			r.text.Write(p)
			r.mu.Unlock()
			select {
			case r.wake <- struct{}{}:
			default:
			}
		})
	}()
	return r
}

func (r *transcript) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// awaitText waits until the output contains text.
func (r *transcript) awaitText(t *testing.T, text string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		if s := r.String(); strings.Contains(s, text) {
			return s
		}
		select {
		case <-r.wake:
		case err := <-r.done:
			if s := r.String(); strings.Contains(s, text) {
				r.done <- err
				return s
			}
			t.Fatalf("output ended (%v) without %q: %q", err, text, r.String())
		case <-deadline:
			t.Fatalf("no %q in the output: %q", text, r.String())
		}
	}
}

// awaitEnd waits for the end of the stream and returns all of it.
func (r *transcript) awaitEnd(t *testing.T) string {
	t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("Copy: %v", err)
		}
	case <-time.After(patience):
		t.Fatalf("the output does not end after %q", r.String())
	}
	return r.String()
}

// awaitGrandchild returns the PID that the part "family" prints.
func (r *transcript) awaitGrandchild(t *testing.T) int {
	t.Helper()
	text := r.awaitText(t, "\n")
	word, _, _ := strings.Cut(strings.TrimPrefix(text, "grandchild "), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(word))
	if err != nil {
		t.Fatalf("output %q: %v", text, err)
	}
	return pid
}

// awaitTrue polls a condition that nothing reports.
func awaitTrue(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatalf("never: %s", what)
		}
	}
}

// kindOf returns the kind of an error of a backend.
func kindOf(t *testing.T, err error) process.ErrKind {
	t.Helper()
	var e *process.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %T %v is no *process.Error", err, err)
	}
	if e.Message == "" {
		t.Errorf("error %+v says nothing", e)
	}
	return e.Kind
}

func TestDialReportsLostConnection(t *testing.T) {
	near, far := net.Pipe()
	b, err := process.Dial(near)
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, far)
	started := make(chan error, 1)
	go func() {
		_, err := b.Start(process.RunID{Service: "web", Incarnation: 1}, part("exit", "0"))
		started <- err
	}()
	far.Close()
	if kind := kindOf(t, <-started); kind != process.ErrOther {
		t.Errorf("Start over a lost connection: kind %q", kind)
	}
	if err := b.KillTree(process.RunID{Service: "web"}); kindOf(t, err) != process.ErrOther {
		t.Errorf("KillTree over a lost connection: %v", err)
	}
	if list := b.List(); len(list) != 0 {
		t.Errorf("List over a lost connection: %v", list)
	}
	if err := b.Close(); kindOf(t, err) != process.ErrOther {
		t.Errorf("Close over a lost connection: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestServeRefusesGarbage(t *testing.T) {
	for name, bytes := range map[string]string{
		"too long":    "\xff\xff\xff\xff\x01",
		"empty":       "\x00\x00\x00\x00\x01",
		"no JSON":     "\x00\x00\x00\x03\x01{]",
		"no type":     "\x00\x00\x00\x01\x63",
		"short count": "\x00\x00\x00\x03\x06ab",
	} {
		t.Run(name, func(t *testing.T) {
			held := newBackend(t)
			near, far := net.Pipe()
			served := make(chan error, 1)
			go func() { served <- process.Serve(far, held) }()
			fmt.Fprint(near, bytes)
			select {
			case err := <-served:
				if err == nil {
					t.Error("Serve took it")
				}
			case <-time.After(patience):
				t.Error("Serve waits for more")
			}
			near.Close()
		})
	}
}
