package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"servicehost/spec"
)

func TestMain(m *testing.M) {
	if f := helpers[os.Getenv("PROBE_TEST_HELPER")]; f != nil {
		os.Exit(f())
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/Microsoft/go-winio.ioCompletionProcessor"))
}

// helpers are what the test program does when it is started by a test.
var helpers = map[string]func() int{}

// service is a program whose answers a test sets, asked by exec probes in the fake time of a bubble.
type service struct {
	mu     sync.Mutex
	bad    map[string]string        // what it says, by the program that is asked
	takes  map[string]time.Duration // how long it thinks
	asked  []string                 // "12s liveness"
	active map[string]int
	most   int
	begin  time.Time
}

func newService() *service {
	return &service{bad: map[string]string{}, takes: map[string]time.Duration{}, active: map[string]int{}, begin: time.Now()}
}

func (s *service) exec(ctx context.Context, argv []string) error {
	name := argv[0]
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprint(time.Since(s.begin), " ", name))
	s.active[name]++
	s.most = max(s.most, s.active[name])
	bad, d := s.bad[name], s.takes[name]
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.active[name]--
	}()
	if d > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
		}
	}
	if bad != "" {
		return errors.New(bad)
	}
	return nil
}

func (s *service) set(name, bad string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad[name] = bad
}

func (s *service) slow(name string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes[name] = d
}

func (s *service) rounds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.asked
	s.asked = nil
	return r
}

// recorder keeps events as "12s ready: reason".
type recorder struct {
	mu    sync.Mutex
	begin time.Time
	list  []string
	all   []Event
}

func (r *recorder) report(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := fmt.Sprint(time.Since(r.begin), " ", e.Kind)
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	r.list = append(r.list, s)
	r.all = append(r.all, e)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.list
	r.list = nil
	return l
}

// bubble runs a test in fake time with a Set whose rounds stay on their periods.
type bubble struct {
	t *testing.T
	*service
	set   *Set
	seen  *recorder
	watch *Watch
}

func inBubble(t *testing.T, f func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, service: newService(), seen: &recorder{begin: time.Now()}}
		b.set = NewSet(Options{Rand: func() float64 { return 1 }})
		defer b.set.Close()
		f(b)
	})
}

func (b *bubble) run(h *spec.Health) {
	b.watch = b.set.Watch(Run{Key: "web.1#1", Port: 8080, Exec: b.exec}, h, b.seen.report)
}

// pass lets time pass and what is due then happen.
func (b *bubble) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bubble) events(want ...string) {
	b.t.Helper()
	synctest.Wait()
	if got := b.seen.take(); !slices.Equal(got, want) {
		b.t.Fatalf("events:\n got  %q\n want %q", got, want)
	}
}

func (b *bubble) rounds(want ...string) {
	b.t.Helper()
	synctest.Wait()
	if got := b.service.rounds(); !slices.Equal(got, want) {
		b.t.Fatalf("rounds:\n got  %q\n want %q", got, want)
	}
}

func ask(name string, period time.Duration, failures int) *spec.Probe {
	return &spec.Probe{Exec: []string{name}, Period: period, Timeout: time.Second, SuccessThreshold: 1, FailureThreshold: failures}
}
