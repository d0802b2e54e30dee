package supervisor

import (
	"context"
	"fmt"
	"testing"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/state/statetest"
	"servicehost/spec"
)

// supervise runs services over a fake backend, in real time.
func supervise(b testing.TB, fake *processtest.Fake, services ...*spec.Service) *Supervisor {
	b.Helper()
	set := logs.NewSet(logs.Options{OnEvent: func(logs.Event) {}})
	sup := New(Options{
		Backend: fake, Logs: set, Probes: &fakeProbes{watches: map[string]*fakeWatch{}}, Store: &statetest.Memory{},
		Env: []string{"PATH=/usr/bin:/bin"}, Exe: "/host", Publish: func(journal.Event) {},
	})
	b.Cleanup(func() {
		sup.Shutdown(context.Background(), time.Minute)
		fake.Close()
		set.Close()
	})
	if _, err := sup.Apply(b.Context(), makeSpec(services...), nil, false); err != nil {
		b.Fatal(err)
	}
	return sup
}

func thousand() []*spec.Service {
	var all []*spec.Service
	for n := range 1000 {
		all = append(all, service(fmt.Sprintf("s%04d", n)))
	}
	return all
}

// BenchmarkRestart is an exit and all that follows until the next process is asked for: running, backoff, starting, running,
// each published and kept.
func BenchmarkRestart(b *testing.B) {
	started := make(chan process.RunID, 1)
	fake := processtest.New()
	fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
		started <- id
		return processtest.Behavior{}
	}
	supervise(b, fake, service("a", func(s *spec.Service) {
		s.Restart = spec.Restart{Policy: spec.RestartAlways, Factor: 1}
	}))
	run := <-started
	b.ReportAllocs()
	for b.Loop() {
		fake.Exit(run, 1, "")
		run = <-started
	}
}

// BenchmarkSnapshots1000 is what status, the page and a scrape begin with.
func BenchmarkSnapshots1000(b *testing.B) {
	sup := supervise(b, processtest.New(), thousand()...)
	b.ReportAllocs()
	for b.Loop() {
		if len(sup.Snapshots()) != 1000 {
			b.Fatal("not all are there")
		}
	}
}

// BenchmarkApplySame1000 is an edit that changes nothing, handed out to a thousand instances.
func BenchmarkApplySame1000(b *testing.B) {
	all := thousand()
	sup := supervise(b, processtest.New(), all...)
	same := makeSpec(all...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sup.Apply(b.Context(), same, nil, false); err != nil {
			b.Fatal(err)
		}
	}
}
