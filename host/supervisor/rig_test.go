package supervisor

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process/processtest"
	"servicehost/host/state/statetest"
	"servicehost/spec"
)

// rig is a supervisor over a fake backend, in a synctest bubble.
type rig struct {
	t      *testing.T
	fake   *processtest.Fake
	store  *statetest.Memory
	sup    *Supervisor
	probes *fakeProbes
	mu     sync.Mutex
	events []journal.Event
	stuck  []string

	onEvent func(journal.Event) // on the goroutine that tells it; set before there is any
}

// dump is all there is to know of an instance, on its goroutine.
func (i *instance) dump() string {
	text := fmt.Sprintf("%v is %s (%s) since %v, deadline %v, wanted up %v, proving %v, run %+v, well %+v, ladder %+v, next try %v, plan %v %q, rollout %+v, paused %v",
		i.key, i.state, i.reason, i.since, i.deadline(), i.wantedUp(), i.proving, i.run, i.well, i.ladder, i.nextTry, i.plan.next, i.plan.due, i.next, i.target.paused)
	if i.side != nil {
		text += "; beside it: " + i.side.dump()
	}
	return text
}

func newRig(t *testing.T, fake *processtest.Fake, store *statetest.Memory) *rig {
	r := &rig{t: t, fake: fake, store: store, probes: &fakeProbes{watches: map[string]*fakeWatch{}}}
	if r.store == nil {
		r.store = &statetest.Memory{}
	}
	set := logs.NewSet(logs.Options{OnEvent: func(logs.Event) {}})
	r.sup = New(Options{
		Backend: fake, Logs: set, Probes: r.probes, Store: r.store, Env: []string{"PATH=/usr/bin:/bin"}, Exe: "/host",
		Publish: func(e journal.Event) {
			e.Time = time.Now()
			r.mu.Lock()
			r.events = append(r.events, e)
			r.mu.Unlock()
			if r.onEvent != nil {
				r.onEvent(e)
			}
		},
	})
	r.sup.env.stuck = func(i *instance) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.stuck) < 3 {
			r.stuck = append(r.stuck, fmt.Sprintf("at %v something was due and was not done: %s", time.Now(), i.dump()))
		}
	}
	t.Cleanup(func() {
		r.sup.Shutdown(context.Background(), time.Minute)
		for _, words := range r.stuck {
			t.Error(words)
		}
		fake.Close()
		set.Close()
	})
	return r
}

// service is a valid spec of one instance with the defaults of the contract.
func service(name string, change ...func(*spec.Service)) *spec.Service {
	s := &spec.Service{
		Name: name, Instance: 1, ID: name, Type: spec.TypeService, Enabled: true, Instances: 1,
		Command: []string{trueProgram}, Dir: tempDir, InheritEnv: true,
		Restart:          spec.Restart{Policy: spec.RestartOnFailure, Delay: time.Second, Factor: 2, MaxDelay: time.Minute, ResetAfter: 30 * time.Second, Limit: 10, Window: 10 * time.Minute, RetryAfter: 10 * time.Minute},
		SuccessExitCodes: []int{0},
		Stop:             spec.Stop{Steps: []spec.Step{{Do: "SIGTERM"}}, Timeout: 30 * time.Second},
		Log:              spec.Log{Path: filepath.Join(tempDir, "none", name+".log")},
		Track:            spec.TrackMain,
		Update:           spec.Update{Order: spec.StopFirst, Parallelism: 1, Timeout: 5 * time.Minute, Monitor: monitor, FailureAction: spec.FailureRollback},
	}
	for _, f := range change {
		f(s)
	}
	b, _ := json.Marshal(s)
	s.Hash = fmt.Sprintf("%x", b)
	return s
}

// monitor is update.monitor of these services.
const monitor = 10 * time.Second

func needs(c spec.Condition, names ...string) func(*spec.Service) {
	return func(s *spec.Service) {
		s.DependsOn = map[string]spec.Dependency{}
		for _, n := range names {
			s.DependsOn[n] = spec.Dependency{Condition: c, Required: true}
		}
	}
}

func arg(v string) func(*spec.Service) {
	return func(s *spec.Service) { s.Command = append(s.Command, v) }
}

func oneshot(s *spec.Service) {
	s.Type, s.Restart.Policy = spec.TypeOneshot, spec.RestartNo
}

func makeSpec(services ...*spec.Service) *spec.Spec {
	slices.SortFunc(services, func(a, b *spec.Service) int { return compareKeys(keyOf(a), keyOf(b)) })
	return &spec.Spec{Services: services, Host: spec.Host{Name: "test", Restarts: spec.Restarts{Rate: 1000, Burst: 10000}}}
}

// apply applies and waits for the end of the steps.
func (r *rig) apply(services ...*spec.Service) Applied {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	out, err := r.sup.Apply(ctx, makeSpec(services...), nil, false)
	if err != nil {
		r.t.Fatalf("Apply: %v", err)
	}
	return out
}

func (r *rig) do(a Act) []Outcome {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	a.Actor = "tester"
	out, err := r.sup.Do(ctx, a)
	if err != nil {
		r.t.Fatalf("%s %v: %v", a.Verb, a.Names, err)
	}
	return out
}

func (r *rig) snap(id string) *Snapshot {
	r.t.Helper()
	for _, s := range r.sup.Snapshots() {
		if s.ID == id {
			return s
		}
	}
	r.t.Fatalf("no instance %q", id)
	return nil
}

// states are the states id went through, in order.
func (r *rig) states(id string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.events {
		if e.ID == id && e.Kind == journal.StateChanged {
			out = append(out, e.To)
		}
	}
	return out
}

// count is how many events of a kind there were of id.
func (r *rig) count(id string, k journal.Kind) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.ID == id && e.Kind == k {
			n++
		}
	}
	return n
}

// settle lets a moment of fake time pass, and all that follows from it happen.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) want(id string, s State) *Snapshot {
	r.t.Helper()
	p := r.snap(id)
	if p.State != s {
		r.t.Fatalf("%s is %s (%s), want %s; it went through %v", id, p.State, p.Reason, s, r.states(id))
	}
	return p
}
